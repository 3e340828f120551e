import { expect } from 'vitest';
import { mediaPackages } from '../../support/media-packages.js';
import type { Scenario } from './scenario.js';

const begin = `
import sys, os
sys.path.append(os.environ["PACKAGES"])
import json, struct, wave, wandb
import numpy as np
from PIL import Image
`;

const logging = `${begin}
run = wandb.init(id="media")
picture = np.zeros((8, 8, 3), dtype=np.uint8); picture[:, :, 0] = 255
Image.fromarray(picture).save("picture.png")
frames = [Image.fromarray(np.full((8, 8), value, dtype=np.uint8)) for value in (0, 128, 255)]
frames[0].save("film.gif", save_all=True, append_images=frames[1:])
with wave.open("tone.wav", "wb") as sound:
    sound.setnchannels(1); sound.setsampwidth(2); sound.setframerate(8000); sound.writeframes(struct.pack("<80h", *range(80)))
with open("shape.obj", "w") as file: file.write("v 0 0 0\\nv 1 0 0\\nv 0 1 0\\nf 1 2 3\\n")
with open("water.pdb", "w") as file: file.write("HETATM    1  O   HOH A   1       0.000   0.000   0.000\\nEND\\n")
mask = {"pred": {"mask_data": np.ones((8, 8), dtype=np.uint8), "class_labels": {1: "ship"}}}
box = {"pred": {"box_data": [{"position": {"minX": 0, "maxX": 1, "minY": 0, "maxY": 1}, "class_id": 1, "box_caption": "a ship"}], "class_labels": {1: "ship"}}}
run.log({
    "image": wandb.Image("picture.png", caption="from a file"),
    "array": wandb.Image(picture, masks=mask, boxes=box),
    "several": [wandb.Image(picture, caption="one"), wandb.Image(picture, caption="two")],
    "audio": wandb.Audio("tone.wav", caption="beep"),
    "video": wandb.Video("film.gif", caption="moving", format="gif"),
    "html": wandb.Html("<b>bold</b>"),
    "histogram": wandb.Histogram(np_histogram=([1, 2, 3], [0, 1, 2, 3])),
    "values": wandb.Histogram([1, 2, 2, 3]),
    "shape": wandb.Object3D(open("shape.obj")),
    "points": wandb.Object3D(np.array([[0, 0, 0], [1, 1, 1]])),
    "molecule": wandb.Molecule("water.pdb"),
    "deep": {"image": wandb.Image("picture.png")},
    "odd / näme": wandb.Image("picture.png"),
})
run.finish()
`;

const reading = `
import os, sys, wandb
run = wandb.Api().run(os.environ["WANDB_PROJECT"] + "/media")
(row,) = list(run.scan_history())
wanted = {"image": "image-file", "array": "image-file", "several": "images/separated", "audio": "audio-file", "video": "video-file",
          "html": "html-file", "histogram": "histogram", "values": "histogram", "shape": "object3D-file", "points": "object3D-file",
          "molecule": "molecule-file", "odd / näme": "image-file"}
for key, kind in wanted.items():
    assert row[key]["_type"] == kind, (key, row[key])
    assert run.summary[key]["_type"] == kind, (key, run.summary[key])
deep = row.get("deep.image") or row["deep"]["image"]
assert deep["_type"] == "image-file", deep
names = {file.name: file for file in run.files(per_page=5)}
paths = [row[key]["path"] for key in wanted if "path" in row[key]] + row["several"]["filenames"] + [deep["path"]]
paths += [row["array"]["masks"]["pred"]["path"], row["array"]["boxes"]["pred"]["path"]]
assert len(paths) >= 12, paths
for path in paths:
    assert path in names, (path, sorted(names))
    names[path].download(root="down", replace=True)
    assert os.path.getsize(os.path.join("down", path)) == names[path].size > 0, path
with open(os.path.join("down", row["image"]["path"]), "rb") as file:
    assert file.read(8) == b"\\x89PNG\\r\\n\\x1a\\n"
assert names[row["image"]["path"]].mimetype == "image/png"
with open(os.path.join("down", row["html"]["path"])) as file: assert "<b>bold</b>" in file.read()
print("image at", names[row["image"]["path"]].url)
`;

const tables = `${begin}
run = wandb.init(id="tables")
table = wandb.Table(columns=["name", "score"], data=[["a", 1], ["b", 2.5]])
table.add_data("c", 3)
pictures = wandb.Table(columns=["picture"], data=[[wandb.Image(np.zeros((4, 4, 3), dtype=np.uint8))]])
run.log({"table": table, "pictures": pictures})
run.log({"line": wandb.plot.line(wandb.Table(columns=["x", "y"], data=[[0, 1], [1, 2]]), "x", "y", title="a line")})
run.log({"bar": wandb.plot.bar(wandb.Table(columns=["label", "value"], data=[["a", 1]]), "label", "value")})
run.log({"confusion": wandb.plot.confusion_matrix(y_true=[0, 1], preds=[0, 1], class_names=["a", "b"])})
run.finish()
api = wandb.Api()
found = api.run(os.environ["WANDB_PROJECT"] + "/tables")
logged = found.summary["table"]
assert logged["_type"] == "table-file" and logged["nrows"] == 3 and logged["ncols"] == 2, dict(logged)
with found.file(logged["path"]).download(root="down", replace=True) as file: stored = json.load(file)
assert stored["columns"] == ["name", "score"] and stored["data"] == [["a", 1], ["b", 2.5], ["c", 3]], stored
artifact = api.artifact("%s/%s/run-tables-table:latest" % (found.entity, os.environ["WANDB_PROJECT"]))
assert artifact.type == "run_table", artifact.type
assert artifact.get("table").data == [["a", 1], ["b", 2.5], ["c", 3]]
shown = api.artifact("%s/%s/run-tables-pictures:latest" % (found.entity, os.environ["WANDB_PROJECT"]))
assert shown.get("pictures").data[0][0].image.size == (4, 4)
visual = found.rawconfig["_wandb"]["visualize"] if "visualize" in found.rawconfig.get("_wandb", {}) else found.rawconfig["_wandb"]["value"]["visualize"] if "value" in found.rawconfig.get("_wandb", {}) else {}
print("charts", sorted(visual))
for key in ["line_table", "bar_table", "confusion_table"]:
    assert found.summary[key]["_type"] == "table-file", key
`;

export const mediaScenarios: Scenario[] = [
  {
    name: 'media',
    promise:
      'Pictures with masks and boxes, sounds, films, pages, histograms, shapes, point clouds and molecules stand in the history with their kind, are files of the run, and are served by link.',
    async run({ python }) {
      const env = { PACKAGES: await mediaPackages() };
      const wrote = await python(logging, { env });
      expect(wrote.complaints, wrote.output).toEqual([]);
      const read = await python(reading, { env });
      expect(read.complaints, read.output).toEqual([]);
      // By the link alone, as a page shows it.
      const image = await fetch(/image at (\S+)/.exec(read.output)?.[1] ?? '');
      expect(image.status).toBe(200);
      expect(image.headers.get('content-type')).toBe('image/png');
    },
  },
  {
    name: 'media-tables',
    promise: 'Tables and custom charts are logged, come back as files and as artifacts, pictures in their cells too.',
    async run({ python }) {
      const result = await python(tables, { env: { PACKAGES: await mediaPackages() } });
      expect(result.complaints, result.output).toEqual([]);
    },
  },
];
