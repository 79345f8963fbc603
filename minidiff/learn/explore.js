"use strict";
// Draws what `minidiff explore` has computed: every number shown stands in this file; none is computed or interpolated here.

const $ = (id) => document.getElementById(id);
const LIMIT = 3.6; // the plane is seen from -LIMIT to LIMIT, as the densities' grid
const BLACK = "#1a1a1a";
const SAMPLERS = { // the colours are Okabe and Ito's; a shape as well, for eyes that do not tell them apart
  noising: { name: "noising", color: "#595959", shape: "plus" },
  ddpm: { name: "DDPM", color: "#0072B2", shape: "circle" },
  ddim: { name: "DDIM", color: "#D55E00", shape: "square" },
  ode: { name: "ODE (Heun)", color: "#009E73", shape: "triangle" },
  flow: { name: "flow", color: "#AA4499", shape: "diamond" },
};
const CHOICES = ["data", "schedule", "steps", "sampler", "eta", "w", "error"];
const ALONE = ["eta", "w", "error"]; // computed one at a time
const common = JSON.parse($("common").textContent);
const held = {}; // data sets that were unpacked
let timer = null;

// ---- the numbers

async function unpack(text) {
  const packed = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  const head = 4 + new DataView(bytes.buffer).getUint32(0, true);
  const set = JSON.parse(new TextDecoder().decode(bytes.subarray(4, head)));
  // runs: low bytes, then high bytes, of differences between frames
  set.values = new Int16Array(set.size);
  for (let i = 0; i < set.size; i++) set.values[i] = bytes[head + i] | (bytes[head + set.size + i] << 8);
  for (const run of Object.values(set.runs)) {
    for (let half = 0; half < 2; half++) {
      const first = run.at + half * run.frames * set.row;
      for (let i = first + set.row; i < first + run.frames * set.row; i++) set.values[i] += set.values[i - set.row];
    }
  }
  const side = set.side = Math.sqrt((bytes.length - head - 2 * set.size) / set.densities.length);
  set.shades = Object.fromEntries(set.densities.map((key, k) => {
    const first = head + 2 * set.size + k * side ** 2;
    return [key, bytes.subarray(first, first + side ** 2)];
  }));
  return set;
}

const state = () => Object.fromEntries(CHOICES.map((id) => [id, $(id).value]));
const T = (s) => common[s.schedule].T;
const times = (s) => common[s.schedule].shown[s.steps];

function key(s, which) {
  if (which === "noising") return `${s.schedule} noising 100 `;
  const what = ALONE.filter((id) => s[id] && (id !== "eta" || which === "ddim")).map((id) => `${id}=${s[id]}`).join();
  if (which !== "flow") return `${s.schedule} ${which} ${s.steps} ${what}`;
  return `linear flow ${s.steps} ${what.replace(/error=\w+/, "error=flow")}`; // it has no schedule, and its network is asked its own objective
}

const known = (s) => ALONE.filter((id) => s[id]).length < 2 && Object.keys(SAMPLERS).every((which) => key(s, which) in held[s.data].runs);

function frame(s, which) { // {x_t, x_0, drawn, exact, calls, moved} at the slider's time
  const set = held[s.data], run = set.runs[key(s, which)], t = times(s)[$("t").value];
  const k = which === "noising" ? common[s.schedule].shown[100].indexOf(t) : Number($("t").value);
  const rows = (half) => set.values.subarray(run.at + (half * run.frames + k) * set.row, run.at + (half * run.frames + k + 1) * set.row);
  const moved = run.apart && run.apart.map((half) => half[k]);
  return { t, x_t: rows(0), x_0: rows(1), drawn: run.drawn[k], exact: run.exact && run.exact[k], calls: run.calls, moved };
}

// ---- drawing

function start(canvas) { // a context in CSS pixels, sharp on any screen
  const size = canvas.clientWidth, sharp = window.devicePixelRatio || 1;
  canvas.width = canvas.height = Math.round(size * sharp);
  const c = canvas.getContext("2d");
  c.scale(sharp, sharp);
  return [c, size];
}

function image(width, height, color) { // color(i) -> [red, green, blue, alpha] of pixel i
  const canvas = Object.assign(document.createElement("canvas"), { width, height }), c = canvas.getContext("2d");
  const pixels = c.createImageData(width, height);
  for (let i = 0; i < width * height; i++) pixels.data.set(color(i), 4 * i);
  c.putImageData(pixels, 0, 0);
  return canvas;
}

function mark(c, shape, x, y, r) {
  if (shape === "plus") { c.rect(x - r, y - r / 3, 2 * r, r / 1.5); c.rect(x - r / 3, y - r, r / 1.5, 2 * r); }
  if (shape === "circle") { c.moveTo(x + r, y); c.arc(x, y, r, 0, 7); }
  if (shape === "square") c.rect(x - 0.9 * r, y - 0.9 * r, 1.8 * r, 1.8 * r);
  const corners = { triangle: [[0, -1.2], [1.1, 0.8], [-1.1, 0.8]], diamond: [[0, -1.3], [1.3, 0], [0, 1.3], [-1.3, 0]] }[shape];
  if (corners) { corners.forEach(([a, b], i) => c[i ? "lineTo" : "moveTo"](x + a * r, y + b * r)); c.closePath(); }
}

function marks(c, size, rows, parts, shape, color, r) {
  const at = (v) => size / 2 + (v / parts) * size / (2 * LIMIT);
  c.fillStyle = color;
  c.beginPath();
  for (let i = 0; i < rows.length; i += 2) mark(c, shape, at(rows[i]), at(-rows[i + 1]), r);
  c.fill();
}

function ellipse(c, size, [m1, m2, s1, s2, rho], color, dash) {
  const unit = size / (2 * LIMIT);
  c.beginPath();
  for (let a = 0; a <= 6.3; a += 0.1) {
    const x = m1 + s1 * Math.cos(a), y = m2 + s2 * (rho * Math.cos(a) + Math.sqrt(1 - rho * rho) * Math.sin(a));
    c.lineTo(size / 2 + unit * x, size / 2 - unit * y);
  }
  c.setLineDash(dash);
  c.strokeStyle = color;
  c.lineWidth = 2;
  c.stroke();
  c.setLineDash([]);
}

function draw(canvas, s, which, f, half) {
  const [c, size] = start(canvas), set = held[s.data], { color, shape } = SAMPLERS[which], rows = f[half];
  if (!set.data) {
    const P = set.row / 64, n = Math.ceil(Math.sqrt(P)), w = 9 * n + 1;
    c.imageSmoothingEnabled = false;
    c.drawImage(image(w, w, (i) => { // a pixel of paper between the digits; -1 is white and 1 is black
      const x = i % w - 1, y = Math.floor(i / w) - 1, k = Math.floor(y / 9) * n + Math.floor(x / 9);
      if (x < 0 || y < 0 || x % 9 > 7 || y % 9 > 7 || k >= P) return [222, 230, 240, 255];
      const grey = 127.5 * (1 - rows[64 * k + 8 * (y % 9) + x % 9] / set.parts);
      return [grey, grey, grey, 255];
    }), 0, 0, size, size);
    return;
  }
  const shades = set.shades[`${which === "flow" ? "flow" : s.schedule} ${f.t * (which === "flow" ? 1000 / T(s) : 1)}`];
  if ($("density").checked && half === "x_t") {
    if (shades) c.drawImage(image(set.side, set.side, (i) => [70, 90, 120, 0.62 * shades[i]]), 0, 0, size, size);
    else marks(c, size, set.data, set.parts, "circle", "#b4b4b4", size / 130);
  }
  c.globalAlpha = 0.8;
  marks(c, size, rows, set.parts, shape, color, size / (size > 240 ? 120 : 75));
  c.globalAlpha = 1;
  if (half === "x_t") {
    ellipse(c, size, f.drawn, color, []);
    if (f.exact) ellipse(c, size, f.exact, BLACK, [5, 5]);
  }
}

function shares(s, t) {
  const [c, size] = start($("shares")), { signal, noise } = common[s.schedule], edge = 34, inner = size - 2 * edge;
  const x = (k) => edge + inner * (1 - k / 100), y = (v) => size - edge - inner * v, now = 100 * t / T(s);
  c.font = "15px system-ui, sans-serif";
  c.strokeStyle = "#c9c9c9";
  c.strokeRect(edge, edge, inner, inner);
  for (const [values, color, dash] of [[signal, "#0072B2", []], [noise, "#D55E00", [7, 5]]]) {
    c.strokeStyle = c.fillStyle = color;
    c.lineWidth = 3;
    c.setLineDash(dash);
    c.beginPath();
    values.forEach((v, k) => c.lineTo(x(k), y(v)));
    c.stroke();
    c.beginPath();
    c.arc(x(now), y(values[now]), 6, 0, 7);
    c.fill();
  }
  c.setLineDash([]);
  c.fillStyle = "#0072B2";
  c.fillText(`— √ᾱ = ${signal[now].toFixed(3)}`, edge, 22);
  c.fillStyle = "#D55E00";
  c.textAlign = "right";
  c.fillText(`- - √(1−ᾱ) = ${noise[now].toFixed(3)}`, size - edge, 22);
  c.fillStyle = BLACK;
  c.textAlign = "left";
  ["1", "0"].forEach((v) => c.fillText(v, edge - 18, y(v) + 5));
  c.fillText("t = T", edge, size - 12);
  c.textAlign = "right";
  c.fillText("t = 0", size - edge, size - 12);
  $("shares").setAttribute("aria-label", `x_t is ${signal[now].toFixed(3)} x_0 + ${noise[now].toFixed(3)} epsilon`);
}

// ---- words

const pair = (v) => v.length > 1 ? `(${v.map((n) => n.toFixed(2)).join(", ")})` : v[0].toFixed(2);
const mean = (n) => n ? pair(n.slice(0, n.length > 2 ? 2 : 1)) : "—";
const std = (n) => n ? pair(n.length > 2 ? n.slice(2, 4) : n.slice(1)) : "—";
const of = (which) => which === "noising" ? "exact" : "exact for Gaussian data";

function beyond(set, rows) { // so that nobody takes an empty picture for one without points
  const far = !set.data ? 0 : rows.filter((v, i) => i % 2 === 0 && Math.max(Math.abs(v), Math.abs(rows[i + 1])) > LIMIT * set.parts).length;
  return far ? `; ${far} of ${rows.length / 2} beyond the edge` : "";
}

function say(s, frames) {
  const f = frames[s.sampler], { name } = SAMPLERS[s.sampler], clock = s.sampler === "flow" ? ` (flow's own time 1 − t/T)` : "";
  const now = `t = ${f.t} of ${T(s)}${clock}`;
  $("now").textContent = `${now}, frame ${Number($("t").value) + 1} of ${times(s).length}`;
  $("t").setAttribute("aria-valuetext", now);
  const [far, far_0] = [f.x_t, f.x_0].map((rows) => beyond(held[s.data], rows));
  $("say-x_t").textContent = `${name}: xₜ${far}`;
  $("say-x_0").textContent = f.t ? `${name}: x̂₀, what the denoiser takes xₜ for${far_0}` : `${name}: x₀, the end${far_0}`;
  const exact = f.exact ? `; ${of(s.sampler)}: mean ${mean(f.exact)}, std ${std(f.exact)}` : "";
  const text = `${now}, ${name}: mean ${mean(f.drawn)}, std ${std(f.drawn)}${exact}`;
  if (!timer) $("live").textContent = text;
  $("x_t").setAttribute("aria-label", `x_t, ${text}`);
  $("x_0").setAttribute("aria-label", `x_0-hat of the same rows, ${now}, ${name}`);
  const moved = Object.values(frames).some((g) => g.moved);
  const head = ["", "denoiser calls", "mean drawn", "exact", "std drawn", "exact", ...(moved ? ["xₜ moved by", "x̂₀ moved by"] : [])];
  const row = (kind, cells) => `<tr>${cells.map((v, i) => `<${kind}${kind === "th" ? ' scope="col"' : i ? "" : ' scope="row"'}>${v}</${kind}>`).join("")}</tr>`;
  $("table").tHead.innerHTML = row("th", head);
  $("table").tBodies[0].innerHTML = Object.entries(frames).map(([which, g]) => row("td", [
    `<span style="color:${SAMPLERS[which].color}">■</span> ${SAMPLERS[which].name}`, g.calls || "—", mean(g.drawn), mean(g.exact),
    std(g.drawn), std(g.exact), ...(moved ? [0, 1].map((i) => g.moved ? g.moved[i].toFixed(3) : "—") : [])])).join("");
}

// ---- the controls

function disable(s) { // whatever was not computed together with the other choices
  for (const id of CHOICES) {
    const options = [...$(id).options];
    for (const o of options) o.disabled = id !== "data" && !known({ ...s, [id]: o.value });
    $(id).disabled = options.filter((o) => !o.disabled).length < 2;
  }
  const chosen = ALONE.find((id) => s[id]);
  $("why").textContent = chosen
    ? `What is grey was not computed together with this choice of “${$(chosen).labels[0].textContent}”: put it back to none first.`
    : "η, guidance and errors are computed for the linear schedule with T = 1000, one at a time; guidance and errors for 20 steps.";
  $("density").disabled = !held[s.data].densities.length;
}

function render() {
  const s = state(), frames = Object.fromEntries(Object.keys(SAMPLERS).map((which) => [which, frame(s, which)]));
  say(s, frames);
  draw($("x_t"), s, s.sampler, frames[s.sampler], "x_t");
  draw($("x_0"), s, s.sampler, frames[s.sampler], "x_0");
  shares(s, frames.ddpm.t);
  for (const which of Object.keys(SAMPLERS)) {
    $(`figure-${which}`).className = which === s.sampler ? "chosen" : "";
    draw($(`small-${which}`), s, which, frames[which], "x_t");
    $(`small-${which}`).setAttribute("aria-label", `${SAMPLERS[which].name}: mean ${mean(frames[which].drawn)}, std ${std(frames[which].drawn)}`);
  }
  history.replaceState(null, "", "#" + new URLSearchParams({ ...s, t: frames.ddpm.t }));
}

async function changed(part = 1 - $("t").value / $("t").max) { // part: t / T, 1 is noise
  const name = $("data").value;
  held[name] ||= await unpack(document.querySelector(`[data-name="${CSS.escape(name)}"]`).textContent);
  if (!known(state())) ALONE.forEach((id) => { $(id).value = ""; });
  const s = state(), near = times(s).map((t) => Math.abs(t / T(s) - part));
  $("t").max = near.length - 1;
  $("t").value = near.indexOf(Math.min(...near));
  disable(s);
  render();
}

function stop() {
  clearInterval(timer);
  timer = null;
  $("play").textContent = "Play";
}

function play() {
  if (timer) { stop(); return render(); }
  if ($("t").value === $("t").max) $("t").value = 0;
  $("play").textContent = "Pause";
  timer = setInterval(() => {
    $("t").value = Number($("t").value) + 1;
    if ($("t").value === $("t").max) stop();
    render();
  }, 300);
}

function fromHash() {
  const asked = new URLSearchParams(location.hash.slice(1));
  for (const id of CHOICES) if ([...$(id).options].some((o) => o.value === asked.get(id))) $(id).value = asked.get(id);
  return changed(asked.has("t") ? asked.get("t") / T(state()) : 1);
}

function failed(what) {
  document.body.dataset.failed = what;
  $("live").textContent = `This page could not be drawn (it needs a browser of 2023 or later): ${what}`;
}

for (const { dataset } of document.querySelectorAll("[data-name]")) $("data").add(new Option(dataset.name, dataset.name));
$("small").innerHTML = Object.entries(SAMPLERS).map(([which, { name, color }]) =>
  `<figure id="figure-${which}"><figcaption style="color:${color}"><b>${name}</b></figcaption><canvas id="small-${which}" role="img"></canvas></figure>`).join("");
for (const id of CHOICES) $(id).addEventListener("change", () => { stop(); changed().catch(failed); });
$("density").addEventListener("change", render);
$("t").addEventListener("input", () => { stop(); render(); });
$("play").addEventListener("click", play);
window.addEventListener("resize", render);
window.addEventListener("hashchange", () => fromHash().catch(failed));
window.addEventListener("error", (e) => failed(e.message));
fromHash().then(() => { document.body.dataset.drawn = "yes"; }, failed);
