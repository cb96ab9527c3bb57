/** Puts the page together. */
import { loadAgents } from "./agents.js";
import { Editor } from "./editor.js";
import { exportPng } from "./export.js";
import { Preview } from "./preview.js";
import { Conversation } from "./state.js";

const find = (id) => document.getElementById(id);

function start(state) {
  const preview = new Preview(find("preview"));
  const editor = new Editor(state, find);
  state.onChange(() => {
    preview.show(state);
    editor.show();
    find("status").textContent = "이 브라우저에 저장됨";
  });
  find("export").addEventListener("click", () => exportPng(find("preview"), state.theme));
  find("reset").addEventListener("click", () => state.reset());
  preview.show(state);
  editor.show();
  loadAgents(find("agents"), (agent) => state.setParticipant(agent));
}

start(new Conversation());
