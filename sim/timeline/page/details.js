// What is said of an item: shortly beside the mark, at length in the panel, with the chain of whys.
import {memberName, nameOf, whys} from './model.js';
import {clock, count, day} from './text.js';

const MOST_OTHERS = 60;

// An element with a class, children and properties; texts are only ever texts.
export function element(name, properties, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties ?? {})) {
    if (key.startsWith('aria-') || key === 'role' || key === 'scope') made.setAttribute(key, value);
    else made[key] = value;
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

export function whereText(model, item, exact = false) {
  const line = model.lines[item.line];
  const channel = item.channel < 0 || model.channels.length < 2 ? '' : ` · ${model.channels[item.channel].name}`;
  const date = exact ? day(line.t) : '';
  return `line ${line.line} · ${date}${date && ' '}${clock(line.t)}${channel}`;
}

export function ruleText(item) {
  if (item.rule === '') return item.point;
  return item.point === '' ? item.rule : `${item.rule} (${item.point})`;
}

// One line for who listens.
export function spoken(model, item) {
  return [item.words, ruleText(item), whereText(model, item)].filter(Boolean).join('; ');
}

// Fills the tip beside the pointer.
export function fillTip(tip, model, item) {
  const rule = ruleText(item);
  tip.replaceChildren(
    element('div', {className: 'words'}, item.words),
    rule === '' ? '' : element('div', {className: 'rule'}, rule),
    element('div', {className: 'where'}, whereText(model, item)));
}

function itemButton(model, index, current, select) {
  const item = model.items[index];
  const rule = ruleText(item);
  const button = element('button', {type: 'button', className: 'item', onclick: () => select(index)},
    element('span', {className: 'where'}, whereText(model, item)),
    element('span', {className: 'words'}, item.words),
    rule === '' ? null : element('span', {className: 'rule'}, ` — ${rule}`));
  button.dataset.item = nameOf(model, item);
  if (index === current) button.setAttribute('aria-current', 'true');
  return button;
}

// What to say below a list that shows the first of so many.
const moreThan = (all) => (all > MOST_OTHERS ? `and ${count(all - MOST_OTHERS, 'other')}` : '');

function list(model, title, className, indices, current, select, more) {
  if (indices.length === 0) return [];
  const made = element('ol', {className}, ...indices.map((index) => element('li', {}, itemButton(model, index, current, select))));
  made.setAttribute('aria-label', title);
  return [element('h3', {}, title), made, ...(more === '' ? [] : [element('p', {className: 'where'}, more)])];
}

// Fills the panel: of an item, or, where that is null, of the session. act: {select, only, fit, link}.
export function fillDetails(pane, model, index, act) {
  if (index === null) {
    pane.replaceChildren(...aboutSession(model, act));
    return;
  }
  const item = model.items[index];
  const line = model.lines[item.line];
  const {chain, more, passed} = whys(model, index);
  const left = more ? 'and others before' : passed > 0 ? `and ${count(passed, 'change')} in between` : '';
  const effects = model.effects.get(index) ?? [];
  const others = [];
  for (let i = line.first; i < line.end; i++) if (i !== index) others.push(i);
  const member = memberName(model, item);
  const rule = ruleText(item);
  const actions = element('div', {className: 'actions'},
    element('button', {type: 'button', onclick: act.fit}, 'Fit'),
    element('a', {href: `#${nameOf(model, item)}`, className: 'link'}, 'Link to this'));
  if (item.member >= 0) actions.append(element('button', {type: 'button', onclick: act.only}, 'Only this client'));
  actions.append(element('button', {type: 'button', onclick: () => act.select(null)}, 'Unpin'));
  pane.replaceChildren(
    element('h2', {}, member === '' ? item.kind.replaceAll('-', ' ') : member),
    element('p', {className: 'words'}, item.words),
    ...(rule === '' ? [] : [element('p', {className: 'rule'}, rule)]),
    element('p', {className: 'where'}, whereText(model, item, true)),
    actions,
    ...list(model, 'Why', 'chain', chain.length > 1 ? chain : [], index, act.select, left),
    ...(chain.length > 1 ? [] : [element('h3', {}, 'Why'), element('p', {}, 'Nothing earlier in the trace made it so.')]),
    ...list(model, 'What it made so', 'effects', effects.slice(0, MOST_OTHERS), index, act.select, moreThan(effects.length)),
    ...list(model, 'Also in this line', 'others', others.slice(0, MOST_OTHERS), index, act.select, moreThan(others.length)));
}

// What somebody sees who has not chosen anything: how much there is, who is there at the end, what is odd.
function aboutSession(model, act) {
  const parts = [element('h2', {}, model.trace)];
  const said = `${count(model.lines.length, 'line')} that did something, ${count(model.lanes.length, 'member')} on ` +
    `${count(model.channels.length, 'channel')}.`;
  parts.push(element('p', {}, said), element('p', {className: 'where'}, 'Choose a mark to see why it is there. Press ? for the keys.'));
  for (const [title, marks] of [['Odd', ['suspicion']], ['Leaves that nobody sent for himself', ['lost', 'swept']], ['Dropped as stale', ['stale']],
                                ['Refused or malformed', ['refused', 'malformed']]]) {
    const found = model.items.filter((item) => marks.includes(item.mark)).map((item) => item.index);
    parts.push(...list(model, title, 'findings', found.slice(0, MOST_OTHERS), null, act.select, moreThan(found.length)));
  }
  const when = model.cut === null ? 'At the end' : 'Where this page ends';
  for (const end of model.ends) {
    const channel = model.channels[end.channel];
    const last = lastItems(model, end);
    parts.push(...list(model, `${when} ${channel.name} is ${end.state}, with ${count(end.members.length, 'member')}`, 'ends',
      last.slice(0, MOST_OTHERS), null, act.select, moreThan(last.length)));
    if (last.length === 0) parts.push(element('h3', {}, `${when} ${channel.name} is ${end.state}, with no members`));
  }
  return parts;
}

// The items that the members of the end are there for: the last that each had.
function lastItems(model, end) {
  const lanes = new Map(model.channels[end.channel].lanes.map((lane) => [lane.member, lane]));
  return end.members.map((member) => lanes.get(member)).filter(Boolean).map((lane) => {
    const items = lane.items.filter((index) => model.items[index].extra.event);
    return items[items.length - 1];
  }).filter((index) => index !== undefined);
}
