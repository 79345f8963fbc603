"use strict";
// Draws what `minidiff explore` has computed: every number shown stands in this file; none is computed or interpolated here.

const $ = (id) => document.getElementById(id);
const LIMIT = 3.6; // the plane is seen from -LIMIT to LIMIT, as the densities' grid
const SAMPLERS = { // told apart by colour (Okabe and Ito's) and by shape
  noising: { name: "noising", color: "#6B6B6B", sign: "✦" },
  ddpm: { name: "DDPM", color: "#0072B2", sign: "●" },
  ddim: { name: "DDIM", color: "#D55E00", sign: "■" },
  ode: { name: "ODE (Heun)", color: "#009E73", sign: "▲" },
  flow: { name: "flow", color: "#CC79A7", sign: "◆" },
};
const ALONE = ["eta", "w", "error"]; // computed one at a time
const CHOICES = ["data", "schedule", "steps", "sampler", ...ALONE];
const common = JSON.parse($("common").textContent);
let held = {}, timer = false, part = 1; // data sets that were unpacked; what plays; t / T of what is shown

async function unpack(text) {
  const packed = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  const head = 4 + new DataView(bytes.buffer).getUint32(0, true);
  const set = JSON.parse(new TextDecoder().decode(bytes.subarray(4, head)));
  // runs: low bytes, then high bytes, of differences between frames
  set.values = new Int16Array(set.size);
  for (let i = 0; i < set.size; i++) set.values[i] = bytes[head + i] | (bytes[head + set.size + i] << 8);
  for (const { at, frames } of Object.values(set.runs)) {
    for (const first of [at, at + frames * set.row]) {
      for (let i = first + set.row; i < first + frames * set.row; i++) set.values[i] += set.values[i - set.row];
    }
  }
  const shades = bytes.subarray(head + 2 * set.size), area = shades.length / set.densities.length;
  set.shades = Object.fromEntries(set.densities.map((key, k) => [key, shades.subarray(k * area, (k + 1) * area)]));
  return Object.assign(set, { side: Math.sqrt(area) });
}

const state = () => Object.fromEntries(CHOICES.map((id) => [id, $(id).value]));
const T = (s) => common[s.schedule].T, times = (s) => common[s.schedule].shown[s.steps];

function key(s, which) {
  if (which === "noising") return `${s.schedule} noising 100 `;
  const what = ALONE.filter((id) => s[id] && (id !== "eta" || which === "ddim")).map((id) => `${id}=${s[id]}`).join();
  if (which !== "flow") return `${s.schedule} ${which} ${s.steps} ${what}`;
  return `linear flow ${s.steps} ${what.replace(/error=\w+/, "error=flow")}`; // flow has no schedule, and an objective of its own
}

const known = (s) => ALONE.filter((id) => s[id]).length < 2 && Object.keys(SAMPLERS).every((which) => key(s, which) in held[s.data].runs);

function frame(s, which) { // {x_t, x_0, drawn, exact, calls, moved} at the slider's time
  const set = held[s.data], run = set.runs[key(s, which)], t = times(s)[$("t").value];
  const k = which === "noising" ? common[s.schedule].shown[100].indexOf(t) : Number($("t").value);
  const rows = (half) => set.values.subarray(run.at + (half * run.frames + k) * set.row).subarray(0, set.row);
  const { calls, drawn, exact, apart } = run;
  return { t, x_t: rows(0), x_0: rows(1), calls, drawn: drawn[k], exact: exact?.[k], moved: apart?.map((half) => half[k]) };
}

function start(canvas) { // a context in CSS pixels, sharp on any screen
  const size = canvas.clientWidth, c = canvas.getContext("2d");
  canvas.width = canvas.height = Math.round(size * window.devicePixelRatio);
  c.scale(canvas.width / size, canvas.width / size);
  return [c, size];
}

function image(side, color) { // a square; color(i) -> [red, green, blue, alpha] of pixel i
  const canvas = Object.assign(document.createElement("canvas"), { width: side, height: side });
  const pixels = new ImageData(side, side);
  for (let i = 0; i < side * side; i++) pixels.data.set(color(i), 4 * i);
  canvas.getContext("2d").putImageData(pixels, 0, 0);
  return canvas;
}

const CORNERS = { // of a mark of size 1
  "✦": [[0, -1.6], [0.5, -0.5], [1.6, 0], [0.5, 0.5], [0, 1.6], [-0.5, 0.5], [-1.6, 0], [-0.5, -0.5]],
  "●": [...Array(12)].map((_, k) => [Math.cos(k * Math.PI / 6), Math.sin(k * Math.PI / 6)]),
  "■": [[-0.9, -0.9], [0.9, -0.9], [0.9, 0.9], [-0.9, 0.9]],
  "▲": [[0, -1.2], [1.1, 0.8], [-1.1, 0.8]],
  "◆": [[0, -1.3], [1.3, 0], [0, 1.3], [-1.3, 0]],
};

function marks(c, size, rows, parts, sign, color, r) {
  const at = (v) => size / 2 + (v / parts) * size / (2 * LIMIT);
  c.fillStyle = color;
  c.beginPath();
  for (let i = 0; i < rows.length; i += 2) {
    CORNERS[sign].forEach(([x, y], k) => c[k ? "lineTo" : "moveTo"](at(rows[i]) + r * x, at(-rows[i + 1]) + r * y));
  }
  c.fill();
}

function ellipse(c, size, [m1, m2, s1, s2, rho], color, dash) {
  const unit = size / (2 * LIMIT);
  c.setLineDash(dash);
  c.beginPath();
  for (let a = 0; a <= 6.3; a += 0.1) {
    const x = m1 + s1 * Math.cos(a), y = m2 + s2 * (rho * Math.cos(a) + Math.sqrt(1 - rho * rho) * Math.sin(a));
    c.lineTo(size / 2 + unit * x, size / 2 - unit * y);
  }
  for (const [strokeStyle, lineWidth] of [["#fff", 6], [color, 2.5]]) Object.assign(c, { strokeStyle, lineWidth }).stroke();
}

function draw(canvas, s, which, f, half) {
  const [c, size] = start(canvas), set = held[s.data], { color, sign } = SAMPLERS[which], rows = f[half];
  if (!set.data) {
    const P = set.row / 64, n = Math.ceil(Math.sqrt(P)), w = 9 * n + 1;
    c.imageSmoothingEnabled = false;
    c.drawImage(image(w, (i) => { // a pixel of paper between the digits; -1 is white and 1 is black
      const x = i % w - 1, y = Math.floor(i / w) - 1, k = Math.floor(y / 9) * n + Math.floor(x / 9);
      if (x < 0 || y < 0 || x % 9 > 7 || y % 9 > 7 || k >= P) return [222, 230, 240, 255];
      const grey = 127.5 * (1 - rows[64 * k + 8 * (y % 9) + x % 9] / set.parts);
      return [grey, grey, grey, 255];
    }), 0, 0, size, size);
    return;
  }
  const shades = set.shades[`${which === "flow" ? "flow" : s.schedule} ${f.t * (which === "flow" ? 1000 / T(s) : 1)}`];
  if ($("density").checked && half === "x_t") {
    if (shades) c.drawImage(image(set.side, (i) => [70, 90, 120, 0.62 * shades[i]]), 0, 0, size, size);
    else marks(c, size, set.data, set.parts, "●", "#b4b4b4", size / 130);
  }
  marks(c, size, rows, set.parts, sign, color + "cc", size / (size > 240 ? 120 : 75));
  if (half === "x_t") ellipse(c, size, f.drawn, color, []);
  if (half === "x_t" && f.exact) ellipse(c, size, f.exact, "#1a1a1a", [5, 5]);
}

function shares(s, t) { // the curves' own time runs as the slider's does, from T to 0
  const [c, size] = start($("shares")), { signal, noise } = common[s.sampler === "flow" ? "flow" : s.schedule], now = 100 * t / T(s);
  const at = (v) => 12 + (size - 24) * (1 - v);
  for (const [values, color, dash] of [[signal, "#0072B2", []], [noise, "#D55E00", [7, 5]]]) {
    Object.assign(c, { strokeStyle: color, fillStyle: color, lineWidth: 3 });
    c.setLineDash(dash);
    c.beginPath();
    values.forEach((v, k) => c.lineTo(at(k / 100), at(v)));
    c.stroke();
    c.fillRect(at(now / 100) - 6, at(values[now]) - 6, 12, 12);
  }
  const text = (x, e) => `xₜ = ${signal[now].toFixed(3)} ${x} + ${noise[now].toFixed(3)} ${e}`;
  $("say-shares").textContent = text("x₀ (solid)", "ε (dashed)");
  $("shares").setAttribute("aria-label", text("x₀", "ε"));
}

const two = (n) => n.toFixed(2).replace("-0.00", "0.00");
const pair = (v) => v.length > 1 ? `(${v.map(two).join(", ")})` : two(v[0]);
const mean = (n) => n ? pair(n.slice(0, n.length > 2 ? 2 : 1)) : "—";
const std = (n) => n ? pair(n.length > 2 ? n.slice(2, 4) : n.slice(1)) : "—";

function beyond({ data, parts }, rows) { // so that nobody takes an empty picture for one without points
  const far = rows.filter((v, i) => data && i % 2 === 0 && Math.hypot(v, rows[i + 1]) > LIMIT * parts).length;
  return far ? `; ${far} of ${rows.length / 2} farther out than ${LIMIT}` : "";
}

function say(s, frames) {
  const f = frames[s.sampler], { name } = SAMPLERS[s.sampler], clock = s.sampler === "flow" ? ` (flow's own time 1 − t/T)` : "";
  const now = `t = ${f.t} of ${T(s)}${clock}`;
  $("now").textContent = `${now}, frame ${Number($("t").value) + 1} of ${times(s).length}`;
  $("t").setAttribute("aria-valuetext", now);
  const [far, far_0] = [f.x_t, f.x_0].map((rows) => beyond(held[s.data], rows));
  $("say-x_t").textContent = `${name}: xₜ${far}`;
  $("say-x_0").textContent = f.t ? `${name}: x̂₀, what the denoiser takes xₜ for${far_0}` : `${name}: x₀, the end${far_0}`;
  const exact = f.exact ? `; exact${s.sampler === "noising" ? "" : " for Gaussian data"}: mean ${mean(f.exact)}, std ${std(f.exact)}` : "";
  const text = `${now}, ${name}: mean ${mean(f.drawn)}, std ${std(f.drawn)}${exact}`;
  if (!timer) $("live").textContent = text;
  $("x_t").setAttribute("aria-label", `x_t, ${text}`);
  $("x_0").setAttribute("aria-label", `x_0-hat of the same rows, ${now}, ${name}`);
  const moved = Object.values(frames).some((g) => g.moved);
  $("table").className = moved ? "moved" : "";
  for (const [which, g] of Object.entries(frames)) {
    const cells = [g.calls, mean(g.drawn), mean(g.exact), std(g.drawn), std(g.exact), ...(g.moved || []).map((v) => v.toFixed(3))];
    [...$(`row-${which}`).cells].slice(1).forEach((cell, i) => { cell.textContent = cells[i] || "—"; });
  }
}

function disable(s) { // whatever was not computed together with the other choices
  for (const id of CHOICES) {
    for (const o of $(id).options) o.disabled = id !== "data" && !known({ ...s, [id]: o.value });
    $(id).disabled = [...$(id).options].filter((o) => !o.disabled).length < 2;
  }
  const chosen = ALONE.find((id) => s[id]);
  $("why").textContent = chosen
    ? `What is grey was not computed together with this choice of “${$(chosen).labels[0].textContent}”: put it back to none.`
    : "η, guidance and errors are computed for the linear schedule with T = 1000, one at a time; guidance and errors for 20 steps.";
  $("density").disabled = !held[s.data].densities.length;
}

function render() {
  const s = state();
  if (!held[s.data]) return; // it is being unpacked
  const frames = Object.fromEntries(Object.keys(SAMPLERS).map((which) => [which, frame(s, which)]));
  part = frames.ddpm.t / T(s);
  say(s, frames);
  draw($("x_t"), s, s.sampler, frames[s.sampler], "x_t");
  draw($("x_0"), s, s.sampler, frames[s.sampler], "x_0");
  shares(s, frames.ddpm.t);
  for (const [which, f] of Object.entries(frames)) {
    $(`figure-${which}`).className = which === s.sampler ? "chosen" : "";
    draw($(`small-${which}`), s, which, f, "x_t");
    $(`small-${which}`).setAttribute("aria-label", `${SAMPLERS[which].name}: mean ${mean(f.drawn)}, std ${std(f.drawn)}`);
  }
  history.replaceState(null, "", "#" + new URLSearchParams({ ...s, t: frames.ddpm.t }));
}

async function changed() {
  const name = $("data").value;
  held[name] ||= await unpack(document.querySelector(`[data-name="${CSS.escape(name)}"]`).textContent);
  if (!known(state())) ALONE.forEach((id) => { $(id).value = ""; });
  const s = state(), near = times(s).map((t) => Math.abs(t / T(s) - part));
  $("t").max = near.length - 1;
  $("t").value = near.indexOf(Math.min(...near));
  disable(s);
  render();
}

function play(on) {
  clearInterval(timer);
  timer = on && setInterval(() => {
    $("t").value = Number($("t").value) + 1;
    if ($("t").value === $("t").max) play(false); else render();
  }, 300);
  if (on && $("t").value === $("t").max) $("t").value = 0;
  $("play").textContent = on ? "Pause" : "Play";
  render();
}

function fromHash() {
  const asked = new URLSearchParams(location.hash.slice(1));
  for (const [id, options] of CHOICES.map((id) => [id, [...$(id).options]])) {
    const named = options.find((o) => o.value === asked.get(id)) || options.find((o) => o.defaultSelected) || options[0];
    $(id).value = named.value;
  }
  part = asked.has("t") ? asked.get("t") / T(state()) : 1;
  return changed();
}

function failed(what) {
  $("live").textContent = document.body.dataset.failed = `This page could not be drawn; it needs a browser of 2023 or later: ${what}`;
}

for (const { dataset } of document.querySelectorAll("[data-name]")) $("data").add(new Option(dataset.name, dataset.name));
for (const [which, { name, color, sign }] of Object.entries(SAMPLERS)) {
  const title = `<span style="color:${color}">${sign}</span> ${name}`;
  $("small").insertAdjacentHTML("beforeend", `<figure id="figure-${which}">
    <figcaption>${title}</figcaption><canvas id="small-${which}" role="img"></canvas></figure>`);
  $("rows").insertAdjacentHTML("beforeend", `<tr id="row-${which}"><th scope="row">${title}</th>${"<td></td>".repeat(7)}</tr>`);
}
for (const id of CHOICES) $(id).addEventListener("change", () => { changed().catch(failed); });
$("density").addEventListener("change", render);
$("t").addEventListener("input", () => play(false));
$("play").addEventListener("click", () => play(!timer));
window.addEventListener("resize", render);
window.addEventListener("hashchange", () => fromHash().catch(failed));
window.addEventListener("error", (e) => failed(e.message));
fromHash().then(() => { document.body.dataset.drawn = "yes"; }, failed);
