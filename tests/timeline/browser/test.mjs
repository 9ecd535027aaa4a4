// Tries the pages of `presence timeline` in a real browser: what they show is compared with what `presence replay` says of
// the same trace, which knows nothing of pages. Run by ./run, which says how.
import {execFileSync} from 'node:child_process';
import {mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {fileURLToPath, pathToFileURL} from 'node:url';
import assert from 'node:assert/strict';
import {chromium} from 'playwright-core';
import {makeModel, whys} from '../../../sim/timeline/page/model.js';

const flags = Object.fromEntries(process.argv.slice(2).map((flag) => /^--(\w+)=(.*)$/.exec(flag).slice(1)));
const here = dirname(fileURLToPath(import.meta.url));
const testdata = join(here, '../../testdata');
const captured = join(testdata, 'captures/reconnect/truth.jsonl');
const work = mkdtempSync(join(tmpdir(), 'presence-timeline-'));
const shots = join(here, 'shots');
mkdirSync(shots, {recursive: true});

const presence = (...args) => execFileSync(flags.presence, args, {encoding: 'utf8', maxBuffer: 1 << 30, stdio: ['ignore', 'pipe', 'inherit']});
function replay(trace, ...more) {
  return presence('replay', ...more, trace).split('\n').filter(Boolean).map((line) => JSON.parse(line));
}
function makePage(name, trace, ...more) {
  const file = join(work, `${name}.html`);
  presence('timeline', ...more, '-o', file, trace);
  return file;
}
function makeTrace(name, lines) {
  const file = join(work, `${name}.jsonl`);
  writeFileSync(file, lines.map((line) => JSON.stringify(line) + '\n').join(''));
  return file;
}

// Traces of the repository, and of what was captured.
function allTraces() {
  const folders = ['../museum', 'scripts', 'captures/reconnect', 'captures/binary', '.'].map((name) => join(testdata, name));
  const traces = folders.flatMap((folder) => readdirSync(folder).filter((name) => name.endsWith('.jsonl') && !name.endsWith('.expected.jsonl'))
    .map((name) => join(folder, name)));
  for (const [i, capture] of ['reconnect/devtools.har', 'reconnect/client.log', 'binary/devtools.har'].entries()) {
    const trace = join(work, `capture-${i}.jsonl`);
    presence('import', '--redact', '-o', trace, join(testdata, 'captures', capture));
    traces.push(trace);
  }
  return traces;
}
// What the page is made of, and a line of its items as an answer of explain has it.
function modelOf(trace) {
  const html = presence('timeline', '-o', '-', trace);
  return makeModel(JSON.parse(/<script type="application\/json" id="session">(.*)<\/script>/.exec(html)[1]));
}
const saidBy = (model) => (other, more = '') => `line ${model.lines[other.line].line}: ${other.words}${other.point && ` (${other.point})`}${more}`;
const isEscaped = (name) => /[\0-\x1f\x7f]/.test(name);  // in answers

const browser = await chromium.launch({executablePath: flags.browser, args: ['--no-sandbox']});
let faults = [];  // of the page in hand

// Opens a page; whatever it says on the console, and whatever it asks the network for, is a fault.
async function open(file, {fragment = '', ...options} = {}) {
  const context = await browser.newContext({viewport: {width: 1280, height: 760}, colorScheme: 'light', ...options});
  const page = await context.newPage();
  const url = pathToFileURL(file).href;
  faults = [];
  page.on('console', (message) => faults.push(`console: ${message.text()}`));
  page.on('pageerror', (error) => faults.push(`error: ${error.message}`));
  page.on('dialog', (dialog) => { faults.push(`dialog: ${dialog.message()}`); dialog.dismiss(); });
  page.on('request', (request) => {
    if (request.url().split('#')[0] !== url && request.url() !== 'data:,') faults.push(`request: ${request.url()}`);
  });
  await page.goto(url + fragment);
  await page.waitForFunction(() => window.presenceTimeline?.spots() != null);
  return page;
}
const shoot = (page, name) => page.screenshot({path: join(shots, `${name}.png`)});
const settle = (page) => page.waitForTimeout(250);  // longer than the page glides

// What the page knows, from its hook for tests.
const itemsOf = (page) => page.evaluate(() => {
  const {model, nameOf} = window.presenceTimeline;
  return model.items.map((item, i) => ({
    name: nameOf(i), line: model.lines[item.line].line, kind: item.kind, mark: item.mark, words: item.words, rule: item.rule,
    event: item.extra.event, reason: item.extra.reason, lane: item.lane, causes: item.causes, call: item.extra.call,
    member: item.member < 0 ? null : [model.members[item.member].client, model.members[item.member].connection],
  }));
});
const pointOf = async (page, name) => {
  const at = await page.evaluate((wanted) => {
    const {model, nameOf, pointOf} = window.presenceTimeline;
    return pointOf(model.items.findIndex((_, i) => nameOf(i) === wanted));
  }, name);
  const box = await page.locator('#scroller').boundingBox();
  return [box.x + at.x, box.y + at.y];
};
const view = (page) => page.evaluate(() => ({...window.presenceTimeline.view}));
// All rows of the table, page by page, as somebody reads it who does not see the picture.
async function tableOf(page) {
  const rows = [];
  await page.click('#tab-table');
  for (;;) {
    rows.push(...await page.$$eval('#table tbody tr', (found) => found.map((row) =>
      ({kind: row.dataset.kind, name: row.dataset.item, cells: [...row.cells].map((cell) => cell.textContent)}))));
    const later = page.locator('#table').getByRole('button', {name: 'Later'});
    if (await later.isDisabled()) break;
    await later.click();
  }
  return rows;
}
const memberOf = ({clientId, connectionId}) => `${clientId} (${connectionId})`;

// --- The cases ---

const cases = {
  async 'lanes, marks and counts are those of the replay'() {
    for (const [name, trace] of [['captured', captured], ['chat', join(testdata, 'chat-session-12.jsonl')],
                                 ['sweep', join(testdata, 'scripts/sync_sweep.jsonl')],
                                 ['operations', join(testdata, 'scripts/call_operations.jsonl')],
                                 ['gets', join(testdata, 'scripts/get_waits.jsonl')],
                                 ['channels', join(testdata, 'scripts/channels.jsonl')]]) {
      const said = replay(trace);
      const page = await open(makePage(name, trace));
      const events = said.filter((line) => line.event).map((line) => `${line.line} ${line.event} ${line.reason ?? ''} ${memberOf(line)}`);
      const items = await itemsOf(page);
      const shown = items.filter((item) => item.event).map((item) => `${item.line} ${item.event} ${item.reason ?? ''} ${item.member[0]} (${item.member[1]})`);
      assert.deepEqual(shown, events, name);
      const lanes = await page.evaluate(() => window.presenceTimeline.layout().rows.filter((row) => row.kind === 'lane').length);
      assert.equal(lanes, new Set(items.filter((item) => item.lane >= 0).map((item) => item.lane)).size, name);
      for (const event of said.filter((line) => line.event)) {
        assert(items.some((item) => item.lane >= 0 && item.member[0] === event.clientId && item.member[1] === event.connectionId), name);
      }
      for (const what of ['started', 'completed', 'discarded']) {
        // ATTACHED without members completes a sync that none has started; all others are shaded.
        assert.equal(items.filter((item) => item.kind === `sync-${what}`).length, said.filter((line) => line.sync === what).length, `${name} ${what}`);
      }
      const results = said.filter((line) => line.result !== undefined);
      assert.equal(items.filter((item) => item.call !== undefined && (item.mark === 'answered' || item.mark === 'refused')).length, results.length, name);
      assert.equal(items.filter((item) => item.call !== undefined && item.mark === 'refused').length, results.filter((line) => line.error).length, name);
      const bars = await page.evaluate(() => window.presenceTimeline.model.channels.flatMap((channel) => channel.calls.map((call) => call.how)));
      assert.equal(bars.filter((how) => how === 'refused').length, results.filter((line) => line.error).length, `${name} refused`);
      assert(bars.filter((how) => how === 'answered').length >= results.filter((line) => line.ok).length, `${name} answered`);
      const stale = said.filter((line) => line.end).reduce((sum, line) => sum + line.end.stats.stale, 0);
      assert.equal(items.filter((item) => item.kind === 'item-dropped').length, stale, `${name} stale`);
      if (name === 'captured') {
        // Told from the trace by hand: line 6 has an older carol, line 32 and 36 name as known alice twice, bob and erin.
        const marks = Object.fromEntries(['stale', 'again', 'swept', 'lost', 'leave', 'enter'].map((mark) =>
          [mark, items.filter((item) => item.mark === mark).length]));
        assert.deepEqual(marks, {stale: 1, again: 4, swept: 2, lost: 1, leave: 2, enter: 4});
        // What the client sent and the server's answer: three operations, and two members entered again.
        assert.deepEqual(bars, Array(5).fill('answered'));
        const syncs = await page.evaluate(() => window.presenceTimeline.model.channels[0].syncs.map((sync) => [sync.how, sync.pages.length]));
        assert.deepEqual(syncs, [['completed', 3], ['discarded', 0], ['completed', 2]]);
      }
      const table = await tableOf(page);
      assert.deepEqual(table.map((row) => row.name), items.map((item) => item.name), name);
      assert.deepEqual(table.map((row) => row.cells[3]), items.map((item) => item.words), name);
      const ends = said.filter((line) => line.end).map((line) => line.end.members.length);
      assert.deepEqual(await page.evaluate(() => window.presenceTimeline.model.ends.map((end) => end.members.length)), ends, name);
      // Who is drawn as present at the end is who is.
      const visible = await page.evaluate(() => {
        const {model} = window.presenceTimeline;
        return model.lanes.filter((lane) => lane.visible.at(-1)?.to === model.lines.length)
          .map((lane) => `${model.members[lane.member].client} (${model.members[lane.member].connection})`);
      });
      assert.deepEqual(visible.sort(), said.filter((line) => line.end).flatMap((line) => line.end.members.map(memberOf)).sort(), name);
      assert.deepEqual(faults, []);
      await page.context().close();
    }
  },

  async 'hover shows the words, the rule and the line'() {
    const page = await open(makePage('hover', captured));
    const swept = (await itemsOf(page)).find((item) => item.mark === 'swept' && item.member[0] === 'frank');
    await page.mouse.move(...await pointOf(page, swept.name));
    const tip = await page.locator('#tip').innerText();
    assert(tip.includes(swept.words) && tip.includes(swept.rule) && tip.includes('line 36'), tip);
    await shoot(page, 'hover');
    // A band says what made the member be there.
    const [x, y] = await pointOf(page, swept.name);
    await page.mouse.move(x - 60, y);
    assert((await page.locator('#tip').innerText()).includes('line 8'));
    await page.mouse.move(5, 5);
    assert(await page.locator('#tip').isHidden());
    assert.deepEqual(faults, []);
  },

  async 'calls at the same time have rows of their own, and those beyond are counted'() {
    const lines = [{t: 1000, recv: {action: 4, connectionId: 'me', connectionDetails: {clientId: '*'}}}, {t: 1000, recv: {action: 11, channel: 'r', flags: 0}}];
    for (let i = 0; i < 20; i++) lines.push({t: 1100 + 10 * i, call: 'enterClient', clientId: `user-${i}`, channel: 'r', id: `e${i}`});
    lines.push({t: 3000, recv: {action: 1, msgSerial: 0, count: 20}});
    lines.push({t: 3500, call: 'get', channel: 'r', id: 'g'});
    const page = await open(makePage('calls', makeTrace('calls', lines)));
    const [channel] = await page.evaluate(() => window.presenceTimeline.model.channels.map(({calls, callFolds, callRows}) => ({calls, callFolds, callRows})));
    assert.equal(channel.calls.length, 21);
    assert.equal(channel.callRows, 17);
    assert.deepEqual(channel.callFolds.map((fold) => fold.count), [4]);
    const drawn = channel.calls.filter((call) => !call.folded);
    for (const one of drawn) {
      for (const other of drawn) assert(one === other || one.row !== other.row || one.to < other.from || other.to < one.from, `${one.item} over ${other.item}`);
    }
    assert.equal(channel.calls.at(-1).row, 0);
    await shoot(page, 'calls');
    assert.deepEqual(faults, []);
  },

  // Of each leave of each trace: put together from all of the page's chain, in its order, the words are those of the answer.
  async 'the chain of who has gone is the one that explain tells'() {
    let compared = 0;
    for (const trace of allTraces()) {
      if (!replay(trace, '--keep-going').some((line) => line.event === 'leave')) continue;
      const model = modelOf(trace);
      const said = saidBy(model);
      for (const item of model.items.filter(({extra}) => extra.event === 'leave')) {
        const {client, connection} = model.members[item.member];
        const line = model.lines[item.line].line;
        if (isEscaped(client + connection)) continue;
        const told = presence('explain', `--why-absent=${client}`, `--at=${line}`, trace);
        const chain = whys(model, item.index).chain.map((index) => model.items[index]);
        const came = chain.shift();
        assert.equal(chain.pop(), item);
        let words = `it came with ${said(came)}`;
        if (chain[0]?.kind === 'item-accepted') words += `; what was stored of it last is of ${said(chain.shift())}`;
        const then = chain.map((other) => ` Then ${said(other, other.extra.connection ? ', another one than before, so what happened meanwhile was not told' : '')}.`);
        const [before, after] = [`${words}.`, `${then.join('')} It went with ${said(item)}.`];
        // Another connection of the client may be there still, or have gone after it in the same line.
        const answers = told.split('\n').filter((answer) => answer.includes(` is not present`) && answer.includes(` It went with ${said(item)}.`));
        if (answers.length === 0) continue;
        assert(answers.some((answer) => answer.includes(before) && answer.includes(after) &&
          /^( It was told to leave before, in vain: .*)?$/.test(answer.slice(answer.indexOf(before) + before.length, answer.indexOf(after)))),
        `${trace} line ${line}, ${client}:\n${before}...${after}\n${answers[0]}`);
        compared++;
      }
    }
    assert(compared > 60, `${compared} compared`);
  },

  // The same of who was forgotten with the channel, which no event tells: their lanes end there, and the chain of that says why.
  async 'the chain of who was forgotten is the one that explain tells'() {
    let compared = 0;
    for (const trace of allTraces()) {
      if (!replay(trace, '--keep-going').some((line) => 'cleared' in line)) continue;
      const model = modelOf(trace);
      const said = saidBy(model);
      for (const item of model.items.filter(({kind}) => kind === 'cleared')) {
        const line = model.lines[item.line].line;
        const chain = whys(model, item.index).chain.map((index) => model.items[index]);
        assert.equal(chain.pop(), item);
        const went = ` It went with ${said(item)}, as ${said(chain.pop())}.`;
        const lanes = model.channels[item.channel].lanes;
        const forgotten = lanes.filter(({visible}) => visible.some(({to, toOffset}) => to === item.line && toOffset === item.offset));
        assert.equal(forgotten.length, item.extra.count, `${trace} line ${line}`);
        for (const {member, visible, items} of forgotten) {
          const {client, connection} = model.members[member];
          if (isEscaped(client + connection)) continue;
          const told = presence('explain', `--why-absent=${client}`, `--at=${line}`, trace);
          const {item: came} = visible.find(({to}) => to === item.line);
          const last = items.filter((index) => index < item.index && model.items[index].kind === 'item-accepted').at(-1);
          const stored = last > came ? `; what was stored of it last is of ${said(model.items[last])}` : '';
          assert(told.includes(`it came with ${said(model.items[came])}${stored}.`), `${trace} line ${line}, ${client}: ${stored}\n${told}`);
          assert(told.includes(went), `${trace} line ${line}, ${client}:\n${went}\n${told}`);
          compared++;
        }
      }
    }
    assert(compared > 3, `${compared} compared`);
  },

  async 'a click pins, and shows the chain of the whys'() {
    const page = await open(makePage('pin', captured));
    const swept = (await itemsOf(page)).find((item) => item.mark === 'swept' && item.member[0] === 'frank');
    await page.mouse.click(...await pointOf(page, swept.name));
    await page.mouse.move(5, 5);
    const chain = await page.$$eval('#details .chain button', (found) => found.map((button) => button.dataset.item));
    assert.equal(chain.at(-1), swept.name);
    // How he came, the connection that is another one, the sync that did not name him, its end.
    assert.deepEqual(chain.map((name) => name.split('.')[0]), ['L8', 'L28', 'L30', 'L36']);
    assert((await page.locator('#details').innerText()).includes(swept.words));
    assert(await page.evaluate(() => window.presenceTimeline.spots().arrows) >= 2);
    assert.equal(new URL(page.url()).hash, `#${swept.name}`);
    await shoot(page, 'pinned');
    // Along the chain.
    await page.locator('#details .chain button').first().click();
    assert.equal(new URL(page.url()).hash, `#${chain[0]}`);
    await page.locator('#details').getByRole('button', {name: 'Unpin'}).click();
    assert.equal(new URL(page.url()).hash, '');
    assert.deepEqual(faults, []);
  },

  async 'a fragment points at a line or an item'() {
    const file = makePage('fragment', captured);
    const probe = await open(file);
    const swept = (await itemsOf(probe)).find((item) => item.mark === 'swept' && item.member[0] === 'frank');
    const page = await open(file, {fragment: `#${swept.name}`});
    assert.equal(await page.evaluate(() => window.presenceTimeline.nameOf(window.presenceTimeline.picked.selected)), swept.name);
    assert((await page.locator('#details').innerText()).includes(swept.words));
    await settle(page);
    const all = (await view(probe)).scale;
    assert((await view(page)).scale > all);
    await page.evaluate(() => { location.hash = '#L8'; });
    await page.waitForFunction(() => window.presenceTimeline.nameOf(window.presenceTimeline.picked.selected) === 'L8.1');
    // Nonsense is nobody's selection, and no error.
    for (const hash of ['#L99999', '#<img src=x onerror=alert(1)>', '#L', '#L8.99999999']) {
      await page.evaluate((to) => { location.hash = to; }, hash);
      await page.waitForTimeout(30);
    }
    assert.deepEqual(faults, []);
  },

  async 'keys zoom, pan, fit, go from mark to mark and from lane to lane'() {
    const page = await open(makePage('keys', captured));
    await page.focus('#scroller');
    const start = await view(page);
    await page.keyboard.press('w');
    await page.keyboard.press('w');
    const zoomed = await view(page);
    assert(zoomed.scale > 1.5 * start.scale);
    await page.keyboard.press('d');
    assert((await view(page)).x0 > zoomed.x0);
    await page.keyboard.press('a');
    await page.keyboard.press('s');
    assert((await view(page)).scale < zoomed.scale);
    await page.keyboard.press('f');
    await settle(page);
    assert(Math.abs((await view(page)).scale - start.scale) < 1e-6);
    // From mark to mark: each is said, and shown.
    const heard = new Set();
    await page.keyboard.press('ArrowRight');
    for (const key of ['ArrowDown', 'ArrowDown', 'ArrowDown', 'ArrowDown', 'ArrowDown', 'ArrowRight', 'ArrowDown', 'ArrowUp', 'ArrowLeft']) {
      await page.keyboard.press(key);
      heard.add(await page.locator('#said').textContent());
      assert(await page.locator('#tip').isVisible());
    }
    assert(heard.size >= 7, [...heard].join('\n'));
    await page.keyboard.press('Enter');
    assert.notEqual(new URL(page.url()).hash, '');
    await page.keyboard.press('f');
    await settle(page);
    assert((await view(page)).scale > start.scale);
    await page.keyboard.press('Escape');
    assert.equal(new URL(page.url()).hash, '');
    await page.keyboard.press('?');
    assert(await page.locator('#keys').isVisible());
    await shoot(page, 'keys');
    await page.keyboard.press('Escape');
    assert(await page.locator('#keys').isHidden());
    await page.keyboard.press('t');
    assert(await page.locator('#table').isVisible());
    assert.deepEqual(faults, []);
  },

  async 'wheel and drag zoom and pan'() {
    const page = await open(makePage('wheel', captured));
    const start = await view(page);
    await page.mouse.move(600, 300);
    const before = await page.evaluate(() => { const {view: v} = window.presenceTimeline; return v.x0 + (600 - v.names) / v.scale; });
    await page.mouse.wheel(0, -300);
    await page.waitForFunction((scale) => window.presenceTimeline.view.scale > scale, start.scale);
    const after = await page.evaluate(() => { const {view: v} = window.presenceTimeline; return v.x0 + (600 - v.names) / v.scale; });
    assert(Math.abs(after - before) * start.scale < 1, 'what the pointer is at stays where it is');
    const zoomed = await view(page);
    const update = (await itemsOf(page)).find((item) => item.mark === 'update' && item.member[0] === 'grace');
    const [x, y] = await pointOf(page, update.name);
    await page.mouse.move(x + 50, y);
    await page.mouse.down();
    await page.mouse.move(x, y, {steps: 4});
    await page.mouse.up();
    const dragged = await view(page);
    assert(Math.abs((dragged.x0 - zoomed.x0) * zoomed.scale - 50) < 1);
    assert.equal(new URL(page.url()).hash, '', 'a drag pins nothing');
    // Over the names, and with Shift, the lanes go up and down, if there are more than fit.
    await page.setViewportSize({width: 1280, height: 420});
    for (const [at, key] of [[100, null], [600, 'Shift']]) {
      await page.mouse.move(at, 250);
      if (key !== null) await page.keyboard.down(key);
      await page.mouse.wheel(0, at === 100 ? 80 : -80);
      await page.waitForFunction((down) => (window.presenceTimeline.view.scrollY > 0) === down, at === 100);
      if (key !== null) await page.keyboard.up(key);
    }
    assert.equal((await view(page)).scale, dragged.scale);
    assert.deepEqual(faults, []);
  },

  async 'search finds, and goes from hit to hit'() {
    const page = await open(makePage('search', captured));
    await page.keyboard.press('/');
    await page.keyboard.type('frank');
    const items = await itemsOf(page);
    const hits = items.filter((item) => item.words.includes('frank'));
    await page.waitForFunction((n) => document.getElementById('found').textContent.startsWith(`${n} `), hits.length);
    await page.keyboard.press('Enter');
    assert.equal(new URL(page.url()).hash, `#${hits[0].name}`);
    await page.keyboard.press('Enter');
    assert.equal(new URL(page.url()).hash, `#${hits[1].name}`);
    await page.keyboard.press('Enter');
    await page.keyboard.press('Shift+Enter');
    assert.equal(new URL(page.url()).hash, `#${hits[1].name}`);
    assert.deepEqual((await tableOf(page)).map((row) => row.name), hits.map((item) => item.name));
    await page.fill('#search', 'nobody is called so');
    await page.waitForFunction(() => document.getElementById('found').textContent === '0 hits');
    await page.fill('#search', 'rtp19 frank');
    await page.waitForFunction(() => document.getElementById('found').textContent === '1 hit');
    assert.deepEqual(faults, []);
  },

  async 'a filter leaves the lanes of a client'() {
    const page = await open(makePage('filter', captured));
    await page.fill('#client', 'alice');
    const lanes = await page.evaluate(() => window.presenceTimeline.layout().rows.filter((row) => row.kind === 'lane').length);
    assert.equal(lanes, 2);
    const rows = await tableOf(page);
    assert(rows.length > 0 && rows.every((row) => row.cells[2].startsWith('alice (')));
    await shoot(page, 'filter-and-table');
    await page.fill('#client', '');
    const swept = (await itemsOf(page)).find((item) => item.mark === 'swept' && item.member[0] === 'frank');
    await page.click('#tab-details');
    await page.mouse.click(...await pointOf(page, swept.name));
    await page.locator('#details').getByRole('button', {name: 'Only this client'}).click();
    assert.equal(await page.evaluate(() => window.presenceTimeline.layout().rows.filter((row) => row.kind === 'lane').length), 1);
    assert.deepEqual(faults, []);
  },

  async 'idle time is folded, and unfolded'() {
    const page = await open(makePage('fold', captured));
    const folded = await page.evaluate(() => ({folds: window.presenceTimeline.axis().breaks.length, end: window.presenceTimeline.axis().end}));
    assert(folded.folds >= 1);
    await page.uncheck('#fold');
    const whole = await page.evaluate(() => ({folds: window.presenceTimeline.axis().breaks.length, end: window.presenceTimeline.axis().end}));
    assert.equal(whole.folds, 0);
    assert(whole.end > folded.end);
    assert.deepEqual(faults, []);
  },

  async 'light and dark, with contrast in both'() {
    const file = makePage('schemes', captured);
    const grounds = [];
    for (const colorScheme of ['light', 'dark']) {
      const page = await open(file, {colorScheme});
      const swept = (await itemsOf(page)).find((item) => item.mark === 'swept' && item.member[0] === 'frank');
      await page.mouse.click(...await pointOf(page, swept.name));
      await page.mouse.move(5, 5);
      await settle(page);
      await shoot(page, `captured-${colorScheme}`);
      const contrasts = await page.evaluate(() => {
        const style = getComputedStyle(document.documentElement);
        const light = (name) => {
          const pen = document.createElement('canvas').getContext('2d');
          pen.fillStyle = style.getPropertyValue(`--${name}`).trim();
          const parts = [1, 3, 5].map((i) => parseInt(pen.fillStyle.slice(i, i + 2), 16) / 255)
            .map((part) => (part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
          return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
        };
        const contrast = (a, b) => (Math.max(light(a), light(b)) + 0.05) / (Math.min(light(a), light(b)) + 0.05);
        const pairs = {};
        for (const ground of ['ground', 'raised', 'pick']) {
          for (const text of ['text', 'muted', 'accent', 'bad']) {
            if (ground !== 'pick' || text === 'text' || text === 'muted') pairs[`${text} on ${ground}`] = [contrast(text, ground), 4.5];
          }
        }
        for (const shape of ['enter', 'update', 'leave', 'lost', 'swept', 'stale', 'quiet', 'bad', 'good', 'wait', 'unseen', 'tomb', 'sync', 'own']) {
          pairs[`${shape} on ground`] = [contrast(shape, 'ground'), 3];
        }
        pairs['present on ground'] = [contrast('present', 'ground'), 2.5];
        return pairs;
      });
      for (const [pair, [is, least]] of Object.entries(contrasts)) assert(is >= least, `${colorScheme}: ${pair} ${is.toFixed(2)}`);
      const ground = () => page.screenshot({clip: {x: 700, y: 620, width: 8, height: 8}});
      grounds.push(await ground());
      // It follows while the page is open.
      await page.emulateMedia({colorScheme: colorScheme === 'light' ? 'dark' : 'light'});
      await settle(page);
      assert(!(await ground()).equals(grounds.at(-1)));
      assert.deepEqual(faults, []);
      await page.context().close();
    }
    assert(!grounds[0].equals(grounds[1]));
  },

  async 'hostile names are text'() {
    const names = ['</script><img src=x onerror="alert(1)">', '<!--<script>alert(2)//', '"><svg/onload=alert(3)>', '__proto__', 'constructor',
                   'line\u2028and\u2029paragraph', '\u202eevil\u202c', 'nul\u0000bell\u0007', '${alert(4)}', ']]>', '\\u003c', '😀👩‍👩‍👧‍👦', ' ', 'x'.repeat(3000)];
    const t = 1795563142000;
    const file = makeTrace('hostile', [
      {t, recv: {action: 4, connectionId: '</script>', connectionDetails: {clientId: names[0]}}},
      {t, recv: {action: 11, channel: '</script><b>room', flags: 983041}},
      ...names.map((clientId, i) => ({t: t + i, recv: {action: 14, id: `c${i}:0`, connectionId: `c${i}`, channel: '</script><b>room',
        timestamp: t + i, presence: [{action: 2, clientId, data: '</script><script>alert(5)</script>'}]}})),
      {t: t + 90, call: 'enter', id: '</script><img onerror=alert(6) src=x>', channel: '</script><b>room', data: '<b>'},
      {t: t + 99, recv: {action: 16, channel: '</script><b>room', channelSerial: '<img src=x onerror=alert(7)>:', presence: []}},
    ]);
    const html = makePage('hostile', file);
    const page = await open(html);
    const text = readFileSync(html, 'utf8');
    assert.equal(text.match(/<\/script/gi).length, 2, 'the data and the scripts end where they should');
    assert.equal(await page.evaluate(() => document.scripts.length), 2);
    const shown = await page.evaluate(() => window.presenceTimeline.model.members.map((member) => member.client));
    for (const name of [names[0], names[1], names[3], names[8], names[11]]) assert(shown.includes(name), name);
    assert(shown.includes('line\\u2028and\\u2029paragraph') && shown.includes('\\u202eevil\\u202c') && shown.includes('nul\\u0000bell\\u0007'));
    for (const item of await itemsOf(page)) {
      await page.evaluate((name) => { location.hash = `#${name}`; }, item.name);
    }
    await tableOf(page);
    assert.equal(await page.locator('img, svg, b').count(), 0);
    await page.click('#tab-details');
    await page.fill('#search', '<img');
    await page.focus('#scroller');
    await page.keyboard.press('n');
    await page.evaluate(() => window.presenceTimeline.fitAll());
    await settle(page);
    await shoot(page, 'hostile');
    assert.deepEqual(faults, []);
  },

  async 'two channels, and one of them'() {
    const t = 1795563142000;
    const enter = (channel, client, at) => ({t: t + at, recv: {action: 14, id: `${client}:0`, connectionId: client, channel, timestamp: t + at,
      presence: [{action: 2, clientId: client}]}});
    const file = makeTrace('two', [
      {t, recv: {action: 4, connectionId: 'me', connectionDetails: {clientId: 'me'}}},
      {t, recv: {action: 11, channel: 'red', flags: 983040}}, {t, recv: {action: 11, channel: 'blue', flags: 983040}},
      enter('red', 'ada', 10), enter('blue', 'bob', 20), enter('blue', 'ada', 30), enter('red', 'eve', 40),
      {t: t + 50, recv: {action: 6}}, {t: t + 90, connection: {state: 'suspended'}},
    ]);
    const both = await open(makePage('both', file));
    const rows = await both.evaluate(() => window.presenceTimeline.layout().rows.map((row) => `${row.kind} ${row.label ?? ''}`.trim()));
    assert.deepEqual(rows.filter((row) => !row.startsWith('syncs')), ['frames and lines', 'connection'].map((label) => `${label.split(' ')[0]} ${label}`)
      .concat(['channel red', 'lane', 'lane', 'channel blue', 'lane', 'lane']));
    await shoot(both, 'two-channels');
    const only = await open(makePage('only', file, '--channel=blue'));
    assert.equal(await only.evaluate(() => window.presenceTimeline.layout().rows.filter((row) => row.kind === 'lane').length), 2);
    const said = replay(file, '--channel=blue').filter((line) => line.event).map(memberOf);
    assert.deepEqual((await itemsOf(only)).filter((item) => item.event).map((item) => `${item.member[0]} (${item.member[1]})`), said);
    assert.deepEqual(faults, []);
  },

  async 'who sees no pictures, and who wants no motion'() {
    const page = await open(makePage('access', captured), {reducedMotion: 'reduce'});
    // Everything that can have the focus has a name.
    const names = await page.evaluate(() => [...document.querySelectorAll('button, input, a, [tabindex="0"]')].map((element) =>
      element.getAttribute('aria-label') || element.labels?.[0]?.textContent || element.textContent));
    assert(names.every((name) => name.trim() !== ''), names.join('|'));
    await page.keyboard.press('Tab');
    assert.equal(await page.evaluate(() => document.activeElement.id), 'skip');
    await page.keyboard.press('Enter');
    assert.equal(await page.evaluate(() => document.activeElement.id), 'table');
    assert.equal(await page.locator('#table').getByRole('columnheader').count(), 5);
    await page.locator('#table tbody button').nth(3).click();
    assert((await page.locator('#said').textContent()).length > 10);
    assert.equal(await page.locator('#table tr[aria-selected=true]').count(), 1);
    // The tabs are tabs.
    await page.focus('#tab-table');
    await page.keyboard.press('ArrowLeft');
    assert.equal(await page.evaluate(() => document.activeElement.id), 'tab-details');
    // No motion: the view is where it goes at once, without a frame between.
    await page.evaluate(() => { location.hash = '#L36.5'; });
    const jumps = await page.evaluate(() => new Promise((done) => {
      const {view: v} = window.presenceTimeline;
      document.getElementById('fit').click();
      const at = v.scale;
      setTimeout(() => done(at === v.scale), 200);
    }));
    assert(jumps);
    assert.deepEqual(faults, []);
    const narrow = await open(makePage('narrow', captured), {viewport: {width: 420, height: 800}, colorScheme: 'dark'});
    assert(await narrow.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
    await shoot(narrow, 'narrow');
    // However many members there are, picture, legend and panel share the window.
    const members = Array.from({length: 100}, (_, i) => ({action: 2, clientId: `user-${i}`, connectionId: `c${i}`, id: `c${i}:0:0`}));
    const crowd = makeTrace('crowd', [{t: 1000, recv: {action: 14, channel: 'r', presence: members}}]);
    const crowded = await open(makePage('crowd', crowd), {viewport: {width: 600, height: 760}});
    for (const part of ['#scroller', '#legend', '#details']) {
      const {y, height} = await crowded.locator(part).boundingBox();
      assert(height > 20 && y + height <= 760, `${part} is from ${y} to ${y + height}`);
    }
    await shoot(crowded, 'crowded');
    assert.deepEqual(faults, []);
  },

  async 'a trace that breaks off says so'() {
    const file = join(work, 'broken.jsonl');
    writeFileSync(file, readFileSync(captured, 'utf8').split('\n').slice(0, 9).join('\n') + '\n{"nonsense": 1}\n');
    const html = join(work, 'broken.html');
    let status = 0;
    try {
      execFileSync(flags.presence, ['timeline', '-o', html, file], {stdio: 'pipe'});
    } catch (error) {
      status = error.status;
      assert(String(error.stderr).startsWith(`${file}:10: `), String(error.stderr));
    }
    assert.equal(status, 1);
    const page = await open(html);
    assert((await page.getByRole('alert').innerText()).includes('line 10'));
    assert.deepEqual(faults, []);
  },

  async '500 members and 50,000 events'() {
    const trace = join(work, 'large.jsonl');
    presence('generate', '--members=500', '--frames=50000', '--sync-every=4000', '-o', trace);
    const file = makePage('large', trace);
    const started = Date.now();
    const page = await open(file, {viewport: {width: 1600, height: 1000}});
    const opened = Date.now() - started;
    const items = await itemsOf(page);
    const events = items.filter((item) => item.event).length;
    assert.equal(events, replay(trace).filter((line) => line.event).length);
    assert(events > 45000, String(events));
    await shoot(page, 'large-light');
    // A zoom step: from one picture to the next, while somebody turns the wheel, in and out again.
    const {frames, scripts} = await page.evaluate(async () => {
      const scroller = document.getElementById('scroller');
      const box = scroller.getBoundingClientRect();
      const result = {frames: [], scripts: []};
      const next = () => new Promise((done) => requestAnimationFrame(done));
      const {drawNow} = window.presenceTimeline;
      let last = await next();
      for (let i = 0; i < 240; i++) {
        const deltaY = Math.floor(i / 40) % 2 === 0 ? -100 : 100;
        scroller.dispatchEvent(new WheelEvent('wheel', {deltaY, clientX: box.left + 400 + 4 * i, clientY: box.top + 300, bubbles: true, cancelable: true}));
        const now = await next();
        result.frames.push(now - last);
        last = now;
        const start = performance.now();
        drawNow();
        result.scripts.push(performance.now() - start);
        last = await next();
      }
      return result;
    });
    const at = (list, part) => [...list].sort((a, b) => a - b)[Math.floor(list.length * part)].toFixed(1);
    console.log(`timeline: ${events} events, ${items.length} items: page of ${(readFileSync(file).length / 1e6).toFixed(1)} MB opens in ${opened} ms; ` +
      `zoom step, from picture to picture at 60 Hz (16.7 ms): p50 ${at(frames, 0.5)} ms, p99 ${at(frames, 0.99)} ms (of it drawing: p50 ${at(scripts, 0.5)} ms, p99 ${at(scripts, 0.99)} ms)`);
    // What is drawn is bounded by what can be seen.
    await page.evaluate(() => window.presenceTimeline.fitAll());
    await settle(page);
    assert((await page.evaluate(() => window.presenceTimeline.spots().drawn)) < 12000);
    // The last lane is reached, and a mark in it.
    const last = await page.evaluate(() => {
      const {model} = window.presenceTimeline;
      const [channel] = model.channels;
      return channel.lanes.at(-1).items.at(-1);
    });
    await page.evaluate((name) => { location.hash = `#${name}`; }, items[last].name);
    await settle(page);
    await page.mouse.move(...await pointOf(page, items[last].name));
    assert((await page.locator('#tip').innerText()).includes(items[last].words));
    await page.emulateMedia({colorScheme: 'dark'});
    await settle(page);
    await shoot(page, 'large-dark');
    assert.deepEqual(faults, []);
  },
};

let failed = 0;
for (const [name, run] of Object.entries(cases)) {
  if (flags.only !== undefined && !name.includes(flags.only)) continue;
  try {
    await run();
    console.log(`timeline: ${name}: passed`);
  } catch (error) {
    failed++;
    console.log(error.stack, faults);
    console.log(`timeline: ${name}: failed`);
  }
  for (const context of browser.contexts()) await context.close();
}
await browser.close();
rmSync(work, {recursive: true});
console.log(`timeline: pictures are in ${shots}`);
process.exit(failed === 0 ? 0 : 1);
