"""Trains a small neural network on Fisher's iris flowers, in plain Python, and tracks it with wandb.

150 flowers, four lengths each, three species. One hidden layer of tanh units, softmax, cross-entropy, mini-batch
gradient descent with momentum. No numpy and no download, so that the only requirement is wandb itself.
"""

import csv
import math
import random
from pathlib import Path

import wandb

DEFAULTS = {
    "epochs": 250,
    "hidden": 16,
    "learning_rate": 0.01,
    "momentum": 0.9,
    "batch_size": 10,
    "test_share": 0.2,
    "seed": 7,
}


def load_flowers(path):
    """The rows as (four standardised features, class number), and the names of the classes."""
    with open(path, newline="") as file:
        rows = list(csv.reader(file))
    names = rows[0][2:]
    features = [[float(cell) for cell in row[:4]] for row in rows[1:]]
    labels = [int(row[4]) for row in rows[1:]]
    columns = list(zip(*features))
    means = [sum(column) / len(column) for column in columns]
    spreads = [math.sqrt(sum((x - m) ** 2 for x in column) / len(column)) for column, m in zip(columns, means)]
    scaled = [[(x - m) / s for x, m, s in zip(row, means, spreads)] for row in features]
    return list(zip(scaled, labels)), names


class Network:
    """inputs -> tanh(hidden) -> softmax(classes). Every unit keeps its bias as its last weight."""

    def __init__(self, inputs, hidden, classes, rng):
        self.first = [[rng.gauss(0, 1 / math.sqrt(inputs)) for _ in range(inputs)] + [0.0] for _ in range(hidden)]
        self.second = [[rng.gauss(0, 1 / math.sqrt(hidden)) for _ in range(hidden)] + [0.0] for _ in range(classes)]
        self.first_speed = [[0.0] * (inputs + 1) for _ in range(hidden)]
        self.second_speed = [[0.0] * (hidden + 1) for _ in range(classes)]

    def forward(self, x):
        x = x + [1.0]
        hidden = [math.tanh(sum(w * v for w, v in zip(unit, x))) for unit in self.first] + [1.0]
        scores = [sum(w * v for w, v in zip(unit, hidden)) for unit in self.second]
        top = max(scores)
        powers = [math.exp(score - top) for score in scores]
        total = sum(powers)
        return x, hidden, [power / total for power in powers]

    def learn(self, batch, learning_rate, momentum):
        """One step down the gradient of the mean cross-entropy over the batch."""
        first_slope = [[0.0] * len(unit) for unit in self.first]
        second_slope = [[0.0] * len(unit) for unit in self.second]
        for features, label in batch:
            x, hidden, chances = self.forward(features)
            errors = [chance - (1.0 if k == label else 0.0) for k, chance in enumerate(chances)]
            for slope, error in zip(second_slope, errors):
                for j, value in enumerate(hidden):
                    slope[j] += error * value
            for j, slope in enumerate(first_slope):
                back = sum(error * unit[j] for error, unit in zip(errors, self.second))
                back *= 1.0 - hidden[j] ** 2
                for i, value in enumerate(x):
                    slope[i] += back * value
        for units, slopes, speeds in (
            (self.first, first_slope, self.first_speed),
            (self.second, second_slope, self.second_speed),
        ):
            for unit, slope, speed in zip(units, slopes, speeds):
                for i in range(len(unit)):
                    speed[i] = momentum * speed[i] - learning_rate * slope[i] / len(batch)
                    unit[i] += speed[i]

    def judge(self, flowers):
        """Mean cross-entropy and share of right answers."""
        loss = 0.0
        right = 0
        for features, label in flowers:
            chances = self.forward(features)[2]
            loss -= math.log(max(chances[label], 1e-12))
            right += chances.index(max(chances)) == label
        return loss / len(flowers), right / len(flowers)


def main():
    # No project here: a launch decides where its run goes, and WANDB_PROJECT does elsewhere.
    run = wandb.init(config=DEFAULTS)
    # From here on wandb.config decides: a launch's overrides have been merged over the defaults.
    config = run.config
    rng = random.Random(config["seed"])
    flowers, names = load_flowers(Path(__file__).with_name("iris.csv"))
    rng.shuffle(flowers)
    held_out = int(len(flowers) * config["test_share"])
    test, train = flowers[:held_out], flowers[held_out:]
    print(f"{len(train)} flowers to learn from, {len(test)} held out, species: {', '.join(names)}", flush=True)

    network = Network(inputs=4, hidden=config["hidden"], classes=len(names), rng=rng)
    best = 0.0
    for epoch in range(1, config["epochs"] + 1):
        rng.shuffle(train)
        for start in range(0, len(train), config["batch_size"]):
            network.learn(train[start : start + config["batch_size"]], config["learning_rate"], config["momentum"])
        loss, accuracy = network.judge(train)
        test_loss, test_accuracy = network.judge(test)
        best = max(best, test_accuracy)
        run.log(
            {
                "epoch": epoch,
                "loss": loss,
                "accuracy": accuracy,
                "test_loss": test_loss,
                "test_accuracy": test_accuracy,
            }
        )
        if epoch == 1 or epoch % 25 == 0 or epoch == config["epochs"]:
            print(f"epoch {epoch:3d}  loss {loss:.4f}  test accuracy {test_accuracy:.3f}", flush=True)

    # `loss`, `accuracy` and the others stand in the summary already: wandb keeps the last value of each.
    run.summary["best_test_accuracy"] = best
    print(f"done: loss {loss:.4f}, test accuracy {test_accuracy:.3f}", flush=True)
    run.finish()


if __name__ == "__main__":
    main()
