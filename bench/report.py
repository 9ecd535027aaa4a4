"""Draws what `report` has measured, and writes the tables of README.md anew.

    report.py RESULTS README

RESULTS is a folder with members.json and steps.json, as Google Benchmark writes them with
--benchmark_format=json, and memory.txt, what //bench:memory prints. Beside README go plots-*.svg.
"""

import json
import pathlib
import re
import sys

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt  # noqa: E402
from matplotlib.ticker import FuncFormatter  # noqa: E402

WORDS = {
    "update": "update",
    "join": "join",
    "leave": "leave",
    "pages": "sync, in pages",
    "by_client": "look-up by client",
    "by_connection": "look-up by connection",
    "get_by_client": "get by clientId",
    "get_by_connection": "get by connectionId",
    "is_user_present": "isUserPresent",
}
PHASES = ["join", "update", "leave"]
STYLES = {
    "light": {"text": "#24292f", "grid": "#d0d7de", "ours": "#0969da", "floor": "#9a6700", "back": "#ffffff"},
    "dark": {"text": "#e6edf3", "grid": "#3d444d", "ours": "#58a6ff", "floor": "#d29922", "back": "#0d1117"},
}


def read(path):
    """The context, and {name: {size: {aggregate: counters}}}."""
    report = json.loads(path.read_text())
    results = {}
    for run in report["benchmarks"]:
        name, size = run["run_name"].split("/")[:2]
        aggregate = run.get("aggregate_name", "median")
        results.setdefault(name, {}).setdefault(int(size), {})[aggregate] = run
    return report["context"], results


def read_memory(path):
    """Bytes a member beyond its own by size, and rows (rooms, members, bytes, own bytes)."""
    text = path.read_text()
    members = {int(size): float(value) for size, value in re.findall(r"^ +(\d+) members +([\d.]+)", text, re.M)}
    rooms = [tuple(map(int, row)) for row in re.findall(r"^ +(\d+) of +(\d+) members +(\d+) +(\d+)", text, re.M)]
    return members, rooms


def size_name(size):
    size = round(size)
    return f"{size // 1_000_000} M" if size >= 1_000_000 else f"{size // 1_000} k" if size >= 1_000 else str(size)


def value_name(value, unit):
    if unit == "µs" and value >= 1_000_000:
        return f"{value / 1_000_000:g} s"
    return f"{value / 1_000:g} ms" if unit == "µs" and value >= 1_000 else f"{value:g} {unit}"


def nanoseconds(runs, counter):
    """Medians, with the spread to both sides, one deviation."""
    medians, less, more = [], [], []
    for size in sorted(runs):
        speed = runs[size]["median"][counter]
        deviation = min(runs[size].get("stddev", {}).get(counter, 0), speed * 0.9)
        medians.append(1e9 / speed)
        less.append(1e9 / (speed + deviation))
        more.append(1e9 / (speed - deviation))
    return sorted(runs), medians, less, more


def prepare(axes, style, title, unit):
    axes.set_title(title, color=style["text"], fontsize=10, loc="left")
    axes.set_facecolor(style["back"])
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xticks([10, 100, 1_000, 10_000, 100_000, 1_000_000])
    axes.grid(True, which="major", color=style["grid"], linewidth=0.6)
    axes.minorticks_off()
    axes.tick_params(colors=style["text"], labelsize=8, length=0)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda size, _: size_name(size)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: value_name(value, unit)))
    for spine in axes.spines.values():
        spine.set_visible(False)


def figure(style, rows, columns, height):
    made, axes = plt.subplots(rows, columns, figsize=(9, height), sharex=True, squeeze=False)
    made.patch.set_facecolor(style["back"])
    return made, axes.flat


def finish(made, panels, style, path, note):
    handles, labels = panels[0].get_legend_handles_labels()
    made.legend(handles, labels, loc="upper right", ncol=len(labels), frameon=False, fontsize=9, labelcolor=style["text"])
    made.text(0.01, 0.99, note, va="top", fontsize=9, color=style["text"])
    made.tight_layout(rect=(0, 0, 1, 0.95))
    made.savefig(path, facecolor=style["back"], metadata={"Date": None})
    # matplotlib leaves blanks at line ends
    path.write_text(re.sub(r" +$", "", path.read_text(), flags=re.M))
    plt.close(made)


def draw_costs(results, style, path):
    names = [name for name in WORDS if name in results]
    made, panels = figure(style, (len(names) + 2) // 3, 3, 7)
    for axes, name in zip(panels, names):
        prepare(axes, style, WORDS[name], "ns")
        for who, counter in (("ours", "items/s"), ("floor", "floor/s")):
            sizes, medians, less, more = nanoseconds(results[name], counter)
            label = "ours" if who == "ours" else "floor: a bare flat_hash_map"
            axes.plot(sizes, medians, color=style[who], marker="o", markersize=3, linewidth=1.5, label=label,
                      linestyle="-" if who == "ours" else "--")
            axes.fill_between(sizes, less, more, color=style[who], alpha=0.2, linewidth=0)
        axes.set_ylim(5, 3000)
    finish(made, panels, style, path, "time of one, by members of the set")


def draw_steps(results, style, path):
    made, panels = figure(style, 1, 3, 3.2)
    runs = results["worst_step"]
    sizes = sorted(runs)
    for axes, phase in zip(panels, PHASES):
        prepare(axes, style, phase, "µs")
        for who, prefix in (("ours", ""), ("floor", "floor ")):
            for what, line in (("slowest", "-"), ("p99.99", ":")):
                values = [runs[size]["median"][f"{prefix}{phase} {what} us"] for size in sizes]
                axes.plot(sizes, values, color=style[who], linestyle=line, marker="o", markersize=3, linewidth=1.5,
                          label=f"{who}, {what}")
        axes.set_ylim(0.03, 1e6)
    finish(made, panels, style, path, "single steps, by members")


def draw_memory(members, style, path):
    made, panels = figure(style, 1, 1, 3)
    axes = panels[0]
    prepare(axes, style, "bytes a member beyond its key and a payload of 40 bytes", "B")
    sizes = sorted(members)
    axes.plot(sizes, [members[size] for size in sizes], color=style["ours"], marker="o", markersize=3, linewidth=1.5,
              label="ours")
    axes.set_ylim(50, 1000)
    axes.set_yticks([50, 100, 200, 500, 1000])
    finish(made, panels, style, path, "")


def number(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def cost_table(results):
    sizes = sorted(next(iter(results.values())))
    lines = ["| | " + " | ".join(size_name(size) for size in sizes) + " |", "|---" * (len(sizes) + 1) + "|"]
    for name in WORDS:
        if name not in results:
            continue
        cells = []
        for size in sizes:
            median = results[name][size]["median"]
            spread = results[name][size].get("cv", {}).get("ratio", 0)
            cells.append(f"**{median['ratio']:.2f}** ±{100 * spread:.0f} %, {number(1e9 / median['items/s'])} ns")
        lines.append(f"| {WORDS[name]} | " + " | ".join(cells) + " |")
    return lines


def step_table(results):
    runs = results["worst_step"]
    sizes = [size for size in sorted(runs) if size >= 10_000]
    lines = ["| members | step | median: ours, floor | p99.99: ours, floor | slowest: ours, floor |", "|---|---|---|---|---|"]
    for size in sizes:
        for phase in PHASES:
            cells = []
            for what in ("median", "p99.99", "slowest"):
                ours = runs[size]["median"][f"{phase} {what} us"]
                floor = runs[size]["median"][f"floor {phase} {what} us"]
                cells.append(f"{number(ours)}, {number(floor)} µs")
            lines.append(f"| {size_name(size)} | {phase} | " + " | ".join(cells) + " |")
    return lines


def room_table(rooms):
    lines = ["| rooms | members of each | bytes a room | of these ids and payloads |", "|---|---|---|---|"]
    return lines + [f"| {rooms:,} | {members:,} | {total:,} | {own:,} |" for rooms, members, total, own in rooms]


def picture(name, alternative):
    return [f'<picture><source media="(prefers-color-scheme: dark)" srcset="plots-{name}-dark.svg">',
            f'<img src="plots-{name}-light.svg" alt="{alternative}"></picture>']


def main(folder, readme):
    context, results = read(folder / "members.json")
    _, steps = read(folder / "steps.json")
    members, rooms = read_memory(folder / "memory.txt")
    plt.rcParams.update({"svg.hashsalt": "presence", "font.family": "DejaVu Sans"})
    for theme, style in STYLES.items():
        draw_costs(results, style, readme.parent / f"plots-costs-{theme}.svg")
        draw_steps(steps, style, readme.parent / f"plots-steps-{theme}.svg")
        draw_memory(members, style, readme.parent / f"plots-memory-{theme}.svg")

    load = ", ".join(f"{value:.1f}" for value in context["load_avg"])
    lines = [
        f"{context['cpu']}, {context['num_cpus']} cores of {context['mhz_per_cpu']} MHz, gcc {context['compiler']}, "
        f"{context['build']} (`-c opt`), load {load} at the start. Of each the median of five repetitions: the ratio to the "
        "floor, its spread (one standard deviation), and the time of one of ours.", ""]
    lines += cost_table(results) + [""] + picture("costs", "Time of one against members, ours and the floor") + [""]
    lines += step_table(steps) + [""] + picture("steps", "The slowest steps against members, ours and the floor") + [""]
    lines += room_table(rooms) + [""] + picture("memory", "Bytes a member against members")
    text = readme.read_text()
    begin, end = "<!-- report: begin -->\n", "<!-- report: end -->"
    before, rest = text.split(begin)
    readme.write_text(before + begin + "\n" + "\n".join(lines) + "\n\n" + end + rest.split(end)[1])


main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
