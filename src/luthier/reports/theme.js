"use strict";
(() => {
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];
  const make = (name, kind, inside = "") => {
    const node = document.createElement(name);
    node.className = kind;
    node.textContent = inside;
    return node;
  };
  const write = (value) =>
    Math.abs(value) >= 1000 || value === 0
      ? value.toLocaleString("en", { maximumFractionDigits: 0 })
      : String(Number(value.toPrecision(4)));

  /* A stop is one place the reader can be at: a fraction of the x axis, a heading, and lines of values. */
  const nearest = (sorted, value) => {
    let low = 0, high = sorted.length - 1;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (sorted[middle] < value) low = middle; else high = middle;
    }
    return high >= 0 && Math.abs(sorted[high] - value) < Math.abs(sorted[low] - value) ? high : low;
  };

  const lineStops = (data, figure) => {
    const series = data.series.map((one) => {
      const kept = one.x.map((x, index) => [x, one.y[index]]).filter(([, y]) => y !== null);
      return { name: one.name, x: kept.map(([x]) => x), y: kept.map(([, y]) => y) };
    });
    const places = [...new Set(series.flatMap((one) => one.x))].sort((a, b) => a - b);
    const fraction = (value, [low, high], log) =>
      log ? (Math.log(value) - Math.log(low)) / (Math.log(high) - Math.log(low)) : (value - low) / (high - low);
    return {
      fractions: places.map((x) => fraction(x, data.x, false)),
      at(index) {
        const layer = figure.dataset.layer;
        const lines = series.flatMap((one, shade) => {
          if (!one.x.length) return [];
          const near = nearest(one.x, places[index]);
          const aside = one.x[near] === places[index] ? "" : ` (${data.label} ${write(one.x[near])})`;
          return [{
            shade: shade % 6, said: `${one.name} ${write(one.y[near])}${aside}`,
            left: fraction(one.x[near], data.x, false), top: 1 - fraction(one.y[near], data.y[layer], layer === "log"),
          }];
        });
        return { head: `${data.label} ${write(places[index])}`, lines };
      },
    };
  };

  const columnStops = (data) => ({
    fractions: data.stops.map(([at]) => at),
    at: (index) => ({ head: data.stops[index][1], lines: [{ shade: 0, said: data.stops[index][2] }] }),
  });

  const readable = (plot) => {
    const figure = plot.closest("figure");
    const data = JSON.parse(plot.dataset.chart);
    const stops = data.kind === "lines" ? lineStops(data, figure) : columnStops(data);
    const last = stops.fractions.length - 1;
    const [cross, tip] = [plot.querySelector(".cross"), plot.querySelector(".tip")];
    let place = -1;
    plot.setAttribute("aria-valuemax", String(last));

    const hide = () => {
      cross.hidden = tip.hidden = true;
      all(".dot", plot).forEach((dot) => dot.remove());
    };
    const show = (index) => {
      place = Math.max(0, Math.min(last, index));
      const { head, lines } = stops.at(place);
      const at = stops.fractions[place];
      hide();
      cross.hidden = tip.hidden = false;
      cross.style.left = `${100 * at}%`;
      tip.replaceChildren(make("b", "", head), ...lines.map((line) => make("div", "", line.said)));
      tip.style.left = at < 0.5 ? `calc(${100 * at}% + 12px)` : "auto";
      tip.style.right = at < 0.5 ? "auto" : `calc(${100 * (1 - at)}% + 12px)`;
      for (const line of lines.filter((one) => one.top !== undefined)) {
        const dot = make("span", `dot c${line.shade}`);
        dot.style.left = `${100 * line.left}%`;
        dot.style.top = `${100 * line.top}%`;
        plot.append(dot);
      }
      plot.setAttribute("aria-valuenow", String(place));
      plot.setAttribute("aria-valuetext", [head, ...lines.map((line) => line.said)].join(", "));
    };

    const follow = (event) => {
      const box = plot.getBoundingClientRect();
      show(nearest(stops.fractions, (event.clientX - box.left) / box.width));
    };
    const leap = Math.max(1, Math.round(last / 10));
    const moves = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: leap, PageDown: -leap };
    plot.addEventListener("pointermove", follow);
    plot.addEventListener("pointerdown", follow);
    plot.addEventListener("pointerleave", hide);
    plot.addEventListener("blur", hide);
    plot.addEventListener("keydown", (event) => {
      if (event.key === "Escape") return hide();
      const goal = event.key === "Home" ? 0 : event.key === "End" ? last : event.key in moves ? place + moves[event.key] : null;
      if (goal === null) return;
      event.preventDefault();
      show(goal);
    });
  };

  const switchable = (figure) => {
    const buttons = all("button[data-layer]", figure);
    const press = (layer) => {
      figure.dataset.layer = layer;
      buttons.forEach((button) => button.setAttribute("aria-pressed", String(button.dataset.layer === layer)));
    };
    buttons.forEach((button) => button.addEventListener("click", () => press(button.dataset.layer)));
    if (buttons.length) press(figure.dataset.layer);
  };

  /* Answers: which rows are shown, and in which order. */
  const SHOWN = 10;
  const sortable = (view) => {
    const rows = all("details.row", view);
    const shelf = rows.length ? rows[0].parentElement : null;
    const [find, status, fold] = [view.querySelector("input"), view.querySelector(".status"), view.querySelector("[data-fold]")];
    const buttons = all("button[data-order]", view);
    const of = (row, key) => (row.dataset[key] === undefined ? NaN : Number(row.dataset[key]));
    const known = (key) => rows.filter((row) => !Number.isNaN(of(row, key)));
    const orders = {
      all: () => rows,
      worst: () => known("score").sort((a, b) => of(a, "score") - of(b, "score")).slice(0, SHOWN),
      best: () => known("score").sort((a, b) => of(b, "score") - of(a, "score")).slice(0, SHOWN),
      changed: () =>
        known("change").filter((row) => of(row, "change") !== 0)
          .sort((a, b) => Math.abs(of(b, "change")) - Math.abs(of(a, "change"))),
    };
    let order = "all";
    const draw = () => {
      const wanted = find.value.trim().toLowerCase();
      const shown = orders[order]().filter((row) => !wanted || row.textContent.toLowerCase().includes(wanted));
      rows.forEach((row) => { row.hidden = true; });
      shown.forEach((row) => { row.hidden = false; shelf.append(row); });
      status.textContent = `${shown.length} of ${rows.length} shown`;
    };
    const press = (chosen) => {
      order = chosen.dataset.order;
      buttons.forEach((button) => button.setAttribute("aria-pressed", String(button === chosen)));
      draw();
    };
    buttons.forEach((button) => button.addEventListener("click", () => press(button)));
    find.addEventListener("input", draw);
    fold.addEventListener("click", () => {
      const open = fold.textContent === "Open all";
      rows.forEach((row) => { row.open = open; });
      fold.textContent = open ? "Close all" : "Open all";
    });
  };

  all("[data-chart]").forEach(readable);
  all("figure[data-layer]").forEach(switchable);
  all(".answers").forEach(sortable);
})();
