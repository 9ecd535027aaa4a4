#include "tools/serve/live_page.h"

namespace presence::serve {

const std::string_view kLivePage = R"html(<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>Presence</title>
<style>
:root { --ink: #1b1f24; --soft: #59636e; --line: #d1d9e0; --ground: #f6f8fa; --card: #fff; --live: #1a7f37; --off: #b35900; --chip: #eaf1f8 }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6edf3; --soft: #9198a1; --line: #3d444d; --ground: #0d1117; --card: #161b22; --live: #3fb950; --off: #e3952b; --chip: #1f2b3a }
}
* { box-sizing: border-box }
body { margin: 0; background: var(--ground); color: var(--ink); font: 15px/1.5 system-ui, sans-serif }
main { max-width: 72rem; margin: 0 auto; padding: 1.5rem 1rem }
header { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; align-items: baseline }
h1 { font-size: 1.4rem; margin: 0 }
#state { color: var(--off) }
#state.live { color: var(--live) }
p { color: var(--soft); margin: .25rem 0 1.25rem }
#rooms { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fill, minmax(min(20rem, 100%), 1fr)) }
section { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: .75rem 1rem; min-width: 0 }
h2 { font-size: 1rem; margin: 0 0 .5rem; display: flex; gap: .75rem; justify-content: space-between }
h2 span:first-child { overflow-wrap: anywhere }
h2 span + span { color: var(--soft); font-weight: normal; white-space: nowrap }
ul { list-style: none; margin: 0; padding: 0; display: flex; flex-wrap: wrap; gap: .375rem; max-height: 16rem; overflow: auto }
li { background: var(--chip); border-radius: 6px; padding: .05rem .5rem; max-width: 100%; overflow-wrap: anywhere }
li.more { background: none; color: var(--soft) }
</style>
<main>
<header><h1>Presence</h1><span id="state" role="status">connecting</span><span id="counts"></span></header>
<p>A presence server. Chat clients connect here with a WebSocket.</p>
<div id="rooms"></div>
</main>
<script src="/page.js"></script>
)html";

// Whatever comes from users is text: nothing is put together as HTML.
const std::string_view kLiveScript = R"js('use strict';
const byId = (id) => document.getElementById(id);
const make = (name, text, className) => {
  const element = document.createElement(name);
  element.textContent = text;
  if (className) element.className = className;
  return element;
};
const count = (number, one, many) => `${number.toLocaleString('en')} ${number === 1 ? one : many}`;

function roomOf({name, size, members}) {
  const section = document.createElement('section');
  const title = document.createElement('h2');
  title.append(make('span', name), make('span', count(size, 'member', 'members')));
  const list = document.createElement('ul');
  for (const [client, connection] of members) {
    const item = make('li', client);
    item.title = `connection ${connection}`;
    list.append(item);
  }
  if (size > members.length) list.append(make('li', `and ${(size - members.length).toLocaleString('en')} more`, 'more'));
  if (size === 0) list.append(make('li', 'nobody is present', 'more'));
  section.append(title, list);
  return section;
}

function show({connections, lost, roomCount, memberCount, rooms}) {
  byId('counts').textContent = [
    count(roomCount, 'room', 'rooms'), count(memberCount, 'member', 'members'),
    count(connections, 'connection', 'connections') + (lost > 0 ? `, ${lost.toLocaleString('en')} of them lost` : ''),
  ].join(' \u00b7 ');
  const sections = rooms.map(roomOf);
  if (roomCount === 0) sections.push(make('p', 'Nobody is here yet.'));
  if (roomCount > rooms.length) sections.push(make('p', `and ${count(roomCount - rooms.length, 'more room', 'more rooms')}`));
  byId('rooms').replaceChildren(...sections);
}

const say = (state) => {
  byId('state').textContent = state;
  byId('state').className = state === 'live' ? 'live' : '';
};
const events = new EventSource('/events');
events.onopen = () => say('live');
events.onerror = () => say('not connected');
events.onmessage = ({data}) => show(JSON.parse(data));
)js";

}  // namespace presence::serve
