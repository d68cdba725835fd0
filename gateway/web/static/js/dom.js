/* Making elements. Whatever comes from outside is text, never markup. */

/** Make an element: properties are set on it, children are nodes or text. */
export function element(tag, properties = {}, ...children) {
  const { data = {}, ...others } = properties;
  const made = Object.assign(document.createElement(tag), others);
  Object.assign(made.dataset, data);
  made.append(...children);
  return made;
}

/** The element of this id; the template has it. */
export const byId = (id) => document.getElementById(id);

/** Set an element's text, if it is another one: most updates change little. */
export function say(target, text) {
  if (target.textContent !== text) target.textContent = text;
}

/** Show a state in words and colour. */
export function badge(target, state, words = capital(state)) {
  target.dataset.state = state;
  say(target, words);
}

export const capital = (word) => word.charAt(0).toUpperCase() + word.slice(1);

/** The value of a CSS custom property, which follows the theme. */
export const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
