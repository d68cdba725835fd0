/* What a viewer must know, in words, above the charts. */

import { byId, element } from "./dom.js";

const MOST = 4;

/** Add a notice, the newest first; with `action` {label, run} it has a button. */
export function notice(text, action) {
  const item = element("li", {}, element("span", {}, text));
  const close = element("button", { type: "button" }, "Dismiss");
  close.addEventListener("click", () => item.remove());
  if (action) item.append(doing(item, action));
  item.append(close);
  const list = byId("notices");
  list.prepend(item);
  while (list.children.length > MOST) list.lastChild.remove();
  return item;
}

function doing(item, { label, run }) {
  const button = element("button", { type: "button" }, label);
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      await run();
      item.remove();
    } catch (error) {
      item.firstChild.textContent = `Loading failed: ${error.message}`;
      button.disabled = false;
    }
  });
  return button;
}
