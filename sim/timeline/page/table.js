// The same session as a table, for who does not see pictures: a page of rows at a time.
import {element, ruleText} from './details.js';
import {memberName, nameOf} from './model.js';
import {clock, count} from './text.js';

const ROWS = 100;

// Makes the table in its pane. wanted() lists the items to show, in order.
export function makeTable(pane, model, {wanted, select}) {
  let first = 0;
  let selected = null;
  const where = element('span', {role: 'status'});
  const back = element('button', {type: 'button', onclick: () => turn(first - ROWS)}, 'Earlier');
  const on = element('button', {type: 'button', onclick: () => turn(first + ROWS)}, 'Later');
  const caption = element('caption', {}, 'What happened, in the order of the trace');
  const head = element('thead', {}, element('tr', {},
    ...['Line', 'Time', 'Member', 'What', 'Rule'].map((name) => element('th', {scope: 'col'}, name))));
  const body = element('tbody', {});
  const table = element('table', {}, caption, head, body);
  pane.replaceChildren(element('div', {className: 'pages'}, back, on, where), table);

  function turn(to) {
    const items = wanted();
    first = Math.max(0, Math.min(to, items.length - 1));
    first -= first % ROWS;
    const page = items.slice(first, first + ROWS);
    where.textContent = items.length === 0 ? 'nothing to show' :
      `${first + 1} to ${first + page.length} of ${count(items.length, 'row')}`;
    back.disabled = first === 0;
    on.disabled = first + ROWS >= items.length;
    body.replaceChildren(...page.map((index) => {
      const item = model.items[index];
      const line = model.lines[item.line];
      const row = element('tr', {'aria-selected': String(index === selected)},
        element('td', {}, element('button', {type: 'button', onclick: () => select(index)}, String(line.line))),
        element('td', {}, clock(line.t)),
        element('td', {}, memberName(model, item)),
        element('td', {}, item.words),
        element('td', {}, ruleText(item)));
      row.dataset.item = nameOf(model, item);
      row.dataset.kind = item.kind;
      return row;
    }));
  }

  return {
    // Shows what is wanted now, from the selected item's page on.
    refresh() { turn(selected === null ? 0 : wanted().indexOf(selected)); },
    select(index) {
      selected = index;
      turn(index === null ? first : wanted().indexOf(index));
      body.querySelector('[aria-selected=true]')?.scrollIntoView({block: 'nearest'});
    },
  };
}
