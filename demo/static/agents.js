/** People from the API, one click away. */
import { element } from "./dom.js";

export async function loadAgents(list, choose) {
  try {
    list.replaceChildren(...(await agents()).map((agent) => chip(agent, choose)));
  } catch (error) {
    console.error("agents could not be loaded:", error);
    list.replaceChildren(element("p.hint", { role: "alert" }, "에이전트를 불러오지 못했어요."));
  }
}

async function agents() {
  const response = await fetch("/api/v1/agents");
  const body = await response.text();
  if (!response.ok) throw new Error(`status ${response.status}`);
  return JSON.parse(body).data;
}

function chip(agent, choose) {
  const dot = element("span.dot", { "aria-hidden": "true" });
  dot.style.background = agent.color;
  const pick = () => choose({ name: agent.name, presence: agent.role, color: agent.color });
  return element("button.chip", { type: "button", "data-testid": "agent", click: pick }, dot, agent.name);
}
