// A picture of power over time: production and treatment, the thresholds, the alert shaded, the unknown hatched.
"use strict";
window.drawChart = async (place) => {
  place.dataset.drawn = "";
  const spec = JSON.parse(place.dataset.chart);
  const words = JSON.parse(place.dataset.words);
  const say = (text) => { const p = document.createElement("p"); p.className = "nothing"; p.textContent = text; place.append(p); };
  const ask = async (path, query) => {
    const answer = await fetch(`${path}?${new URLSearchParams(query)}`);
    if (!answer.ok) throw new Error(String(answer.status));
    return answer.json();
  };
  const span = { from: spec.from, to: spec.to };
  const width = Math.max(200, Math.min(1600, Math.round(place.clientWidth)));
  let read, states;
  try {
    [read, states] = await Promise.all([
      Promise.all(spec.series.map((s) => ask("/api/v1/readings", { site: spec.site, point: s.point, width, ...span }))),
      Promise.all(spec.series.map((s) => ask(
        `/api/v1/sites/${encodeURIComponent(spec.site)}/points/${encodeURIComponent(s.point)}/states`, span))),
    ]);
  } catch (_) { say(words.failed); return; }
  if (!read.some((one) => one.at_ms.length)) { say(words.none); return; }

  // Readings that begin late in the span are not pushed into a corner.
  const first = Math.min(...read.filter((one) => one.at_ms.length).map((one) => one.at_ms[0]));
  if (first - spec.from > 0.3 * (spec.to - spec.from)) spec.from = first - 0.08 * (spec.to - first);

  // Where nothing was read for longer than pieces usually lie apart, the line breaks: what is missing is not drawn.
  const columns = read.map((one) => {
    const apart = one.at_ms.slice(1).map((at, i) => at - one.at_ms[i]).sort((a, b) => a - b);
    const usual = apart.length ? apart[apart.length >> 1] : one.step_ms;
    const at = [], kw = [];
    one.at_ms.forEach((ms, i) => {
      if (i && ms - one.at_ms[i - 1] > 3 * Math.max(usual, one.step_ms)) { at.push((one.at_ms[i - 1] + 1) / 1e3); kw.push(null); }
      at.push(ms / 1e3);
      kw.push(one.mean[i]);
    });
    return [at, kw];
  });
  const data = uPlot.join(columns, columns.map((c) => c.slice(1).map(() => 2)));

  const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const dashes = [[], [8, 4], [2, 3], [10, 3, 2, 3]];
  const made = { production: 0, treatment: 0 };
  const lines = spec.series.map((s) => {
    const of = s.kind === "production" ? "production" : "treatment";
    return {
      label: `${words[of]} ${s.name}`, scale: "kw", spanGaps: false, width: 2, points: { show: false },
      stroke: color(of === "production" ? "--alarm" : "--accent"), dash: dashes[made[of]++ % dashes.length],
      value: (_, v) => (v == null ? "—" : `${v.toFixed(2)} kW`),
    };
  });

  const unknown = states.flatMap((all) => all.flatMap((one, i) => {
    if (one.state !== "unknown") return [];
    const end = i + 1 < all.length ? all[i + 1].since : spec.to;
    return [[Math.max(one.since, spec.from), Math.min(end, spec.to)]];
  }));
  const shade = (u) => {
    const { ctx, bbox } = u;
    const x = (ms) => Math.max(bbox.left, Math.min(bbox.left + bbox.width, u.valToPos(ms / 1e3, "x", true)));
    ctx.save();
    ctx.fillStyle = color("--critical");
    ctx.globalAlpha = 0.13;
    for (const [from, to] of spec.shaded) ctx.fillRect(x(from), bbox.top, Math.max(2, x(to) - x(from)), bbox.height);
    ctx.globalAlpha = 0.5;
    ctx.strokeStyle = color("--unknown");
    ctx.lineWidth = 1;
    for (const [from, to] of unknown) {
      const [left, right] = [x(from), x(to)];
      if (right <= left) continue;
      ctx.save();
      ctx.beginPath();
      ctx.rect(left, bbox.top, right - left, bbox.height);
      ctx.clip();
      ctx.beginPath();
      for (let at = left - bbox.height; at < right; at += 12) { ctx.moveTo(at, bbox.top + bbox.height); ctx.lineTo(at + bbox.height, bbox.top); }
      ctx.stroke();
      ctx.restore();
    }
    ctx.globalAlpha = 0.8;
    ctx.setLineDash([4, 4]);
    spec.series.forEach((s, i) => {
      const y = u.valToPos(s.above_kw, "kw", true);
      if (y < bbox.top || y > bbox.top + bbox.height) return;
      ctx.strokeStyle = lines[i].stroke;
      ctx.beginPath();
      ctx.moveTo(bbox.left, y);
      ctx.lineTo(bbox.left + bbox.width, y);
      ctx.stroke();
    });
    ctx.restore();
  };

  const top = Math.max(...spec.series.map((s) => s.above_kw), ...read.flatMap((one) => one.max)) * 1.08;
  const low = Math.min(0, ...read.flatMap((one) => one.min));
  const axis = { stroke: color("--soft"), grid: { stroke: color("--line"), width: 1 }, ticks: { stroke: color("--line") } };
  const zoned = (ts) => uPlot.tzDate(new Date(ts * 1e3), spec.zone);
  const clock = new Intl.DateTimeFormat(document.documentElement.lang,
    { timeZone: spec.zone, month: "numeric", day: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
  const hand = (of) => new Intl.DateTimeFormat(document.documentElement.lang, { timeZone: spec.zone, hour12: false, ...of });
  const minutes = hand({ hour: "2-digit", minute: "2-digit" });
  const seconds = hand({ hour: "2-digit", minute: "2-digit", second: "2-digit" });
  const days = hand({ month: "numeric", day: "numeric" });
  // As fine as the marks lie apart, s.
  const marks = (apart) => (apart < 60 ? seconds : apart < 86400 ? minutes : days);
  const size = () => ({ width: Math.max(240, place.clientWidth - 26), height: place.clientWidth < 500 ? 240 : 300 });
  const plot = new uPlot({
    ...size(),
    tzDate: zoned,
    scales: { x: { min: spec.from / 1e3, max: spec.to / 1e3 }, kw: { range: (_u, min, max) => (min === null ? [low, top] : [Math.min(low, min), Math.max(top, max)]) } },
    series: [{ label: spec.zone, value: (_, v) => (v == null ? "—" : clock.format(v * 1e3)) }, ...lines],
    axes: [{ ...axis, space: 72, values: (_u, all, _i, _s, apart) => all.map((at) => marks(apart).format(at * 1e3)) }, { ...axis, scale: "kw", size: 56 }],
    hooks: { drawAxes: [shade] },
  }, data, place);
  new ResizeObserver(() => plot.setSize(size())).observe(place);
};
