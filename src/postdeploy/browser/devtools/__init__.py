"""Declared pages over the DevTools protocol itself: no driver between us and the browser, so a page costs a third."""
