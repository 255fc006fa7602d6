"""Train the tiny model, then evaluate and export it."""

import argparse
from dataclasses import dataclass
from pathlib import Path

import torch
from tokenizers import Tokenizer
from transformers import Qwen2ForCausalLM

from tools.tiny.card import render_card
from tools.tiny.corpus import SourceFile, control_list, read_standard_library
from tools.tiny.documents import Documents
from tools.tiny.export import Counts, facts, load_trained, measure, write_json, write_model
from tools.tiny.loop import Length, Run, log, train
from tools.tiny.network import build_network
from tools.tiny.settings import Recipe
from tools.tiny.vocabulary import END, control_id, load_tokenizer, save_tokenizer, train_tokenizer
from tools.tiny.watch import Watch

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Material:
    """The corpus and its tokenizer."""

    files: list[SourceFile]
    tokenizer: Tokenizer
    work: Path

    def documents(self, recipe: Recipe, *, held_out: bool) -> Documents:
        """The training files, or those held out, ready to draw from."""
        chosen = [file for file in self.files if file.held_out == held_out]
        return Documents(chosen, self.tokenizer, recipe, self.work)


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="train.py", description=__doc__)
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    parser.add_argument("--out", type=Path, default=ROOT / "src/duotune/assets/tiny", help="where the model goes")
    parser.add_argument("--work", type=Path, default=ROOT / "build/tiny", help="checkpoints and tokenizer of the run")
    parser.add_argument("--steps", type=int, default=6000, help="steps before the learning rate decays")
    parser.add_argument("--decay-steps", type=int, default=600, help="steps over which it decays")
    parser.add_argument("--resume", action="store_true", help="continue from the newest checkpoint in --work")
    parser.add_argument("--again", action="store_true", help="with --resume: take a decayed run up at the full rate")
    parser.add_argument("--only", choices=("train", "export"), help="do one half")
    parser.add_argument("--questions", type=int, default=1000, help="rest-of-line questions that are measured")
    return parser.parse_args()


def material(work: Path, recipe: Recipe) -> Material:
    """Read the corpus; train the tokenizer where the run has none yet."""
    files = read_standard_library()
    path = work / "tokenizer.json"
    if not path.exists():
        partial = path.with_suffix(".partial")
        train_tokenizer((file.text for file in files if not file.held_out), recipe.shape.vocabulary).save(str(partial))
        partial.replace(path)
    return Material(files, load_tokenizer(path), work)


def main() -> None:
    """Run the command."""
    options = arguments()
    chosen = "cuda" if torch.cuda.is_available() else "cpu"
    device = torch.device(chosen if options.device == "auto" else options.device)
    options.work.mkdir(parents=True, exist_ok=True)
    recipe = Recipe()
    source = material(options.work, recipe)
    network = build_network(recipe.shape, control_id(source.tokenizer, END))
    if options.only != "export":
        run = Run.open(network, recipe, options.work, device, resume=options.resume, again=options.again)
        log(step=run.step, parameters=sum(value.numel() for value in network.parameters()))
        watch = Watch(source.documents(recipe, held_out=True))
        length = Length(options.steps, options.decay_steps)
        if not train(run, source.documents(recipe, held_out=False), watch, length):
            return
    if options.only != "train":
        export(network.to(device), source, recipe, options)


def export(network: Qwen2ForCausalLM, source: Material, recipe: Recipe, options: argparse.Namespace) -> None:
    """Measure a run's newest checkpoint and write the model with its card."""
    run = load_trained(network, options.work)
    training, held_out = (source.documents(recipe, held_out=held) for held in (False, True))
    counts = Counts(options.questions, max(1, options.questions // 4))
    parameters = sum(value.numel() for value in network.parameters())
    control = control_list(source.files)
    write_model(network, options.out)
    save_tokenizer(source.tokenizer, options.out, recipe.shape.positions)
    write_json(options.out / "control.json", control)
    figures = facts(recipe, parameters, run, training) | measure(network, held_out, training, recipe, counts)
    write_json(options.out / "figures.json", figures)
    card = render_card(figures, control) + "\n"
    (options.out / "README.md").write_text(card, encoding="utf-8")
    print(card, end="")


main()
