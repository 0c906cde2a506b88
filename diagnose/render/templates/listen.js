"use strict";
// One pair is a deck: two or three buffers on one time axis, switched sample by sample.  Below, what is pure comes first.

const FADE_S = 0.005;
const SIDES = ["a", "b"];
const HEARD = [...SIDES, "c"]; // c, the repaired sound, is not on every page

/** P(at least `right` of `trials` by guessing): sum of C(n, k) / 2^n over k >= right. */
function guessing(right, trials) {
  let ways = 1, tail = 0;
  for (let k = 0; k <= trials; k += 1) {
    if (k >= right) tail += ways;
    ways = ways * (trials - k) / (k + 1);
  }
  return tail / 2 ** trials;
}

/** [start, end] in s within 0..seconds, in order; null where nothing is left. */
function clampRegion(start, end, seconds) {
  const from = Math.min(Math.max(start, 0), seconds), to = Math.min(Math.max(end, 0), seconds);
  return to > from ? [from, to] : null;
}

/** Time on the axis after `elapsed` s of a plan; in a loop it stays within it. */
function positionAt(plan, elapsed) {
  const at = plan.from + elapsed;
  if (!plan.loop || at < plan.end) return Math.min(at, plan.end);
  return plan.start + ((at - plan.start) % (plan.end - plan.start));
}

/**
 * Gains of A, B and C: what the page turned down is turned up again, B by `matchDb` where it is wanted as loud as A, and
 * all down together where any would clip.  peaks, played: of the decoded sounds, and what they were multiplied by.
 */
function balance(peaks, played, matchDb, matched) {
  const gains = played.map((by, index) => (matched && index === 1 ? 10 ** (matchDb / 20) : 1) / by);
  const top = Math.max(...gains.map((gain, index) => gain * peaks[index]), 1);
  return gains.map((gain) => gain / top);
}

/** The gains of all sources while one side is heard: [2, 3], "b" -> [0, 3]. */
function heard(gains, side) {
  return gains.map((gain, index) => (HEARD[index] === side ? gain : 0));
}

/** A number of seconds as a whole number of samples, in s: loops then repeat without interpolation. */
function snapped(seconds, rate) {
  return Math.round(seconds * rate) / rate;
}

/**
 * Sources that start together, each through a gain of its own.  plan: {from, start, end, loop, offsets, gains, side}
 * in s on the axis; offsets: where the axis begins in each buffer.
 */
function buildGraph(context, buffers, plan, when) {
  const levels = heard(plan.gains, plan.side);
  const parts = buffers.map((buffer, index) => {
    const lies = (at) => snapped(plan.offsets[index] + at, buffer.sampleRate);
    const source = new AudioBufferSourceNode(context, {
      buffer, loop: plan.loop, loopStart: lies(plan.start), loopEnd: lies(plan.end),
    });
    const gain = new GainNode(context, { gain: levels[index] });
    source.connect(gain).connect(context.destination);
    if (plan.loop) source.start(when, lies(plan.from));
    else source.start(when, lies(plan.from), plan.end - plan.from);
    return { source, gain };
  });
  return { parts, levels, settled: 0 };
}

/** Fade to new gains in 5 ms.  Linear, for A and B may be one sound: the sum of both gains stays what it was. */
function fadeTo(graph, levels, when) {
  const at = Math.max(when, graph.settled);
  graph.parts.forEach(({ gain }, index) => {
    gain.gain.setValueCurveAtTime(Float32Array.of(graph.levels[index], levels[index]), at, FADE_S);
  });
  graph.levels = levels;
  graph.settled = at + FADE_S;
}

/** The bytes of a base64 data URI; nothing is fetched. */
function bytesOf(uri) {
  return Uint8Array.from(atob(uri.slice(uri.indexOf(",") + 1)), (letter) => letter.charCodeAt(0)).buffer;
}

/** Take the mean off each channel, for a step of it would click at every switch; returns the peak. */
function centred(buffer) {
  let peak = 0;
  for (let channel = 0; channel < buffer.numberOfChannels; channel += 1) {
    const samples = buffer.getChannelData(channel);
    const mean = samples.reduce((sum, value) => sum + value, 0) / samples.length;
    for (let at = 0; at < samples.length; at += 1) {
      samples[at] -= mean;
      peak = Math.max(peak, Math.abs(samples[at]));
    }
  }
  return peak;
}

/** A blind test: what X is in each trial, and what was said. */
function newTest(trials) {
  const bytes = crypto.getRandomValues(new Uint8Array(trials));
  return { hidden: Array.from(bytes, (byte) => SIDES[byte & 1]), said: [] };
}

/** [right, said] of a test. */
function score(test) {
  return [test.said.filter((side, index) => side === test.hidden[index]).length, test.said.length];
}

function scoreText(test) {
  const [right, said] = score(test);
  if (!said) return `Trial 1 of ${test.hidden.length}. Listen to A, B and X, then say which X is.`;
  const chance = guessing(right, said);
  const words = `${right} of ${said} right, p = ${chance < 0.001 ? "< 0.001" : chance.toFixed(3)}`;
  if (said < test.hidden.length) return `${words}. Trial ${said + 1} of ${test.hidden.length}.`;
  return `${words}: ${chance < 0.05 ? "you hear a difference" : "this may be guessing"} (p is the probability of so many by chance).`;
}

// A deck

let context = null;
let active = null;

function newDeck(root) {
  const number = (name) => Number(root.dataset[name]);
  const find = (selector) => root.querySelector(selector);
  return {
    root, find, all: (selector) => [...root.querySelectorAll(selector)],
    seconds: number("seconds"), matchDb: number("match"),
    offsets: [number("begin"), number("begin") + number("delay"), number("begin")], // C lies on A
    sounds: HEARD.map((side) => find(`audio[data-side="${side}"]`)).filter((sound) => sound),
    buffers: null, peaks: [1, 1, 1], graph: null, plan: null, began: 0, position: 0,
    side: "a", shown: "a", matched: true, region: null, test: null,
  };
}

async function load(deck) {
  context ??= new AudioContext();
  await context.resume();
  if (deck.buffers) return;
  const buffers = await Promise.all(deck.sounds.map((sound) => context.decodeAudioData(bytesOf(sound.src))));
  deck.peaks = buffers.map(centred);
  deck.seconds = Math.min(deck.seconds, ...buffers.map((buffer, index) => buffer.duration - deck.offsets[index]));
  deck.buffers = buffers;
}

function gainsOf(deck) {
  const played = deck.sounds.map((sound) => Number(sound.dataset.gain));
  return balance(deck.peaks, played, deck.matchDb, deck.matched || deck.test !== null);
}

function now(deck) {
  return deck.graph ? positionAt(deck.plan, Math.max(context.currentTime - deck.began, 0)) : deck.position;
}

function stop(deck) {
  if (!deck.graph) return;
  deck.position = now(deck);
  deck.graph.parts[0].source.onended = null;
  deck.graph.parts.forEach(({ source }) => source.stop());
  deck.graph = null;
  show(deck);
}

async function play(deck, from) {
  if (active && active !== deck) stop(active);
  active = deck;
  try {
    await load(deck);
  } catch (error) {
    deck.find(".state").textContent = "This browser cannot decode the sounds; use the players below.";
    return;
  }
  if (active !== deck) return; // another was asked for while this one was decoded
  stop(deck);
  const [start, end] = deck.region ?? [0, deck.seconds];
  const inside = from >= start && from < end ? from : start;
  deck.plan = {
    from: inside, start, end, loop: deck.region !== null, offsets: deck.offsets, gains: gainsOf(deck), side: deck.side,
  };
  deck.began = context.currentTime + 0.02;
  deck.graph = buildGraph(context, deck.buffers, deck.plan, deck.began);
  deck.graph.parts[0].source.onended = () => { stop(deck); deck.position = start; show(deck); };
  show(deck);
  follow(deck);
}

function toggle(deck) {
  if (deck.graph) stop(deck);
  else play(deck, deck.position);
}

function seek(deck, to) {
  deck.position = Math.min(Math.max(to, 0), deck.seconds);
  if (deck.region && (deck.position < deck.region[0] || deck.position >= deck.region[1])) deck.region = null;
  if (deck.graph) play(deck, deck.position);
  else show(deck);
}

function listenTo(deck, button) {
  deck.shown = button;
  deck.side = button === "x" ? deck.test.hidden[deck.test.said.length] : button;
  refade(deck);
}

function refade(deck) {
  if (deck.graph) fadeTo(deck.graph, heard(gainsOf(deck), deck.side), context.currentTime);
  show(deck);
}

/** Whether the deck loops just this. */
function loops(deck, start, end) {
  const region = clampRegion(start, end, deck.seconds);
  return deck.region !== null && region !== null && deck.region[0] === region[0] && deck.region[1] === region[1];
}

function loop(deck, start, end) {
  const same = loops(deck, start, end);
  deck.region = same ? null : clampRegion(start, end, deck.seconds);
  if (same) stop(deck);
  else if (deck.region) play(deck, deck.region[0]);
}

// What is seen of it

function show(deck) {
  const at = now(deck), share = `${(100 * at) / deck.seconds}%`;
  deck.all("line.head").forEach((line) => { line.setAttribute("x1", share); line.setAttribute("x2", share); });
  deck.find(".time").textContent = `${at.toFixed(2)} / ${deck.seconds.toFixed(2)} s`;
  deck.find("[data-do=play]").textContent = deck.graph ? "Pause" : "Play";
  deck.all("[data-hear]").forEach((button) => {
    button.setAttribute("aria-pressed", String(button.dataset.hear === deck.shown));
    if (button.dataset.hear === "x") button.disabled = deck.test === null;
  });
  deck.find("[data-do=match]").checked = deck.matched || deck.test !== null;
  deck.find("[data-do=match]").disabled = deck.test !== null;
  deck.all("[data-start]").forEach((part) => {
    const looped = loops(deck, Number(part.dataset.start), Number(part.dataset.end));
    part.classList.toggle("looped", looped);
    if (part.hasAttribute("role") || part.tagName === "BUTTON") part.setAttribute("aria-pressed", String(looped));
  });
}

function follow(deck, graph = deck.graph) {
  if (!graph || deck.graph !== graph) return;
  show(deck);
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) setTimeout(() => follow(deck, graph), 250);
  else requestAnimationFrame(() => follow(deck, graph));
}

function startTest(deck) {
  deck.find(".abx").open = true;
  deck.test = newTest(Math.min(Math.max(Math.round(Number(deck.find("[data-do=trials]").value)) || 10, 1), 100));
  deck.find(".answers").replaceChildren();
  nextTrial(deck);
}

function nextTrial(deck) {
  const over = deck.test.said.length === deck.test.hidden.length;
  deck.find(".score").textContent = scoreText(deck.test);
  deck.all("[data-say]").forEach((button) => { button.disabled = over; });
  if (over) tellAnswers(deck);
  listenTo(deck, "a");
}

function tellAnswers(deck) {
  const told = deck.test.hidden.map((side, index) => {
    const line = document.createElement("li");
    const said = deck.test.said[index];
    line.textContent = `X was ${side.toUpperCase()}, you said ${said.toUpperCase()}${said === side ? "" : ": wrong"}`;
    return line;
  });
  deck.find(".answers").replaceChildren(...told);
  deck.test = null;
}

function say(deck, side) {
  if (!deck.test) return;
  deck.test.said.push(side);
  nextTrial(deck);
}

/** Show the rows that hold the words and have a verdict that is ticked. */
function filterRows(root) {
  const words = root.querySelector("[data-do=words]").value.toLowerCase();
  const ticked = [...root.querySelectorAll("[data-verdict-of]:checked")].map((box) => box.dataset.verdictOf);
  const rows = [...root.querySelectorAll("tr[data-verdict]")];
  rows.forEach((row) => {
    row.hidden = !ticked.includes(row.dataset.verdict) || !row.textContent.toLowerCase().includes(words);
  });
  root.querySelector(".shown").textContent = `${rows.filter((row) => !row.hidden).length} of ${rows.length} shown`;
}

// What is pressed

function onKey(event) {
  if (!active || event.ctrlKey || event.altKey || event.metaKey) return;
  const own = event.target.closest("input, select, textarea, audio") ?? null;
  if (own && own.type !== "checkbox") return;
  const pressed = event.target.closest("a, button, summary, input, .scroll, [role=button]");
  const step = event.shiftKey ? 0.1 : 1;
  const actions = {
    a: () => listenTo(active, "a"),
    b: () => listenTo(active, "b"),
    c: () => { if (active.sounds.length > 2) listenTo(active, "c"); },
    x: () => (active.test ? listenTo(active, "x") : startTest(active)),
  };
  if (!pressed) actions[" "] = () => toggle(active);
  if (!pressed?.matches(".scroll")) {
    actions.ArrowLeft = () => seek(active, now(active) - step);
    actions.ArrowRight = () => seek(active, now(active) + step);
  }
  const action = actions[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (!action) return;
  event.preventDefault();
  action();
}

function onRegion(deck, part, event) {
  event.preventDefault();
  event.stopPropagation();
  loop(deck, Number(part.dataset.start), Number(part.dataset.end));
}

function setUpDeck(root) {
  const deck = newDeck(root);
  const on = (selector, kind, action) => deck.all(selector).forEach((part) => part.addEventListener(kind, (event) => action(part, event)));
  on("[data-do=play]", "click", () => toggle(deck));
  on("[data-hear]", "click", (part) => listenTo(deck, part.dataset.hear));
  on("[data-do=match]", "change", (part) => { deck.matched = part.checked; refade(deck); });
  on("[data-do=test]", "click", () => startTest(deck));
  on("[data-say]", "click", (part) => say(deck, part.dataset.say));
  on("[data-start]", "click", (part, event) => onRegion(deck, part, event));
  on("a[data-start][href]", "keydown", (part, event) => { if (event.key === " ") onRegion(deck, part, event); });
  on("svg.seek", "click", (part, event) => {
    const box = part.getBoundingClientRect();
    seek(deck, ((event.clientX - box.left) / box.width) * deck.seconds);
  });
  deck.all("a[data-start][href]").forEach((part) => part.setAttribute("role", "button"));
  root.addEventListener("pointerdown", () => { if (active !== deck) { if (active) stop(active); active = deck; } });
  active ??= deck;
  show(deck);
  return deck;
}

function setUp() {
  document.querySelectorAll(".live").forEach((part) => { part.hidden = false; });
  document.querySelectorAll(".pair[data-seconds]").forEach(setUpDeck);
  document.querySelectorAll(".pair").forEach((root) => {
    root.querySelectorAll("[data-do=words], [data-verdict-of]").forEach((part) => {
      part.addEventListener("input", () => filterRows(root));
    });
    if (root.querySelector("[data-do=words]")) filterRows(root);
  });
  document.addEventListener("keydown", onKey);
  addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((part) => { part.open = true; }));
}

setUp();
