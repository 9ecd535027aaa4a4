// Which items a search finds: those whose words, member, rule or line hold all that was typed.
import {memberName} from './model.js';
import {ruleText} from './details.js';

export function makeSearch(model) {
  let texts = null;  // made when it is first needed
  return function search(typed, isShown) {
    const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
    if (words.length === 0) return [];
    texts ??= model.items.map((item) =>
      `${item.words} ${memberName(model, item)} ${ruleText(item)} ${item.kind} line ${model.lines[item.line].line} `.toLowerCase());
    const found = [];
    for (let i = 0; i < texts.length; i++) {
      if (words.every((word) => texts[i].includes(word)) && isShown(model.items[i])) found.push(i);
    }
    return found;
  };
}
