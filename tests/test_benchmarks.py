"""The benchmarks measure against a faithful loop, and count the work that torch counts."""

import http.client
import json
import re
import sys
from collections import Counter
from urllib.parse import urlsplit

import numpy as np
import pytest
from torch.utils.flop_counter import FlopCounterMode

from benchmarks import (
    checkpoints,
    downloads,
    environments,
    filtering,
    flops,
    index,
    museum_server,
    opening,
    records,
    refresh,
)
from benchmarks.loop import DOCUMENT, EmbeddingLoop, RerankingLoop
from benchmarks.pictures import paint_many
from benchmarks.processes import run
from benchmarks.sections import replaced
from retrievals_pipeline.defs.embeddings.golden import golden_items
from retrievals_pipeline.defs.images.pictures import check_picture
from retrievals_pipeline.miniature.works import views_at
from retrievals_pipeline.simulation.release import simulate_release
from retrievals_serving.models import Input, load_embedder, load_reranker
from retrievals_serving.release import INDEX
from retrievals_serving.settings import Settings

TOLERANCE = 1e-5
SMALLEST = {
    "text_config": checkpoints.SMALL["text_config"] | {"num_hidden_layers": 1},
    "vision_config": checkpoints.SMALL["vision_config"]
    | {"depth": 1, "deepstack_visual_indexes": [0]},
}


@pytest.fixture(scope="module")
def tiny(request):
    """The folder with the tiny checkpoints and the output of the models' reference code."""
    return request.config.rootpath / "tests/fixtures/qwen3-vl"


@pytest.fixture(scope="module")
def golden(tiny):
    return json.loads((tiny / "golden.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def paths(tiny):
    return sorted((tiny / "inputs").iterdir())


@pytest.fixture(scope="module")
def loop(tiny):
    return EmbeddingLoop(tiny / "tiny-embedder", device="cpu", dtype="float32")


def assert_same(numbers, expected):
    np.testing.assert_allclose(numbers, np.array(expected), rtol=0, atol=TOLERANCE)


def test_the_loop_embeds_as_the_reference_does(loop, golden, paths):
    assert_same(loop.embed_images(paths), golden["image_default"])


def test_the_loop_keeps_to_a_pixel_budget(tiny, golden, paths):
    loop = EmbeddingLoop(
        tiny / "tiny-embedder", device="cpu", dtype="float32", max_pixels=512 * 512
    )
    assert_same(loop.embed_images(paths), golden["image_max_pixels_262144"])


def test_the_loop_scores_as_the_reference_does(tiny, golden, paths):
    loop = RerankingLoop(tiny / "tiny-reranker", device="cpu", dtype="float32")
    for query, expected in golden["rerank"].items():
        assert_same(loop.score(query, paths), expected)


def test_the_work_is_what_torch_counts(tiny, paths):
    loop = EmbeddingLoop(tiny / "tiny-embedder", device="cpu", dtype="float32")
    loop.model.set_attn_implementation("eager")  # whose products the counter sees, masked or not
    inputs = loop.prepare(DOCUMENT, [[paths[0]]])
    with FlopCounterMode(display=False) as counter:
        loop.last_states(inputs)

    config = json.loads((tiny / "tiny-embedder" / "config.json").read_text(encoding="utf-8"))
    tokens, text = inputs["input_ids"].shape[1], config["text_config"]
    queries = text["num_attention_heads"] * text["head_dim"]
    masked = 4 * text["num_hidden_layers"] * queries * tokens * (tokens - 1) // 2
    patches = len(inputs["pixel_values"])
    counted = flops.prompt_flops(config, patches=patches, tokens=tokens)
    assert counter.get_total_flops() == counted + masked


def test_the_small_model_has_the_size_and_the_balance_it_is_said_to_have():
    config = checkpoints.config_of("small", "reranker")
    vision, language = flops.vision_flops(config, 1024), flops.language_flops(config, 332)
    assert checkpoints.parameters(config) == pytest.approx(150e6, rel=0.03)
    assert vision / (vision + language) == pytest.approx(0.4, abs=0.02)


def test_both_sides_load_what_is_written_and_agree(monkeypatch, tmp_path):
    monkeypatch.setitem(checkpoints.SHAPES, "smallest", SMALLEST)
    pictures = paint_many(tmp_path, 3, [(96, 64), (64, 64)])
    chosen = {"device": "cpu", "dtype": "float32"}

    embedder = tmp_path / "embedder"
    checkpoints.write(embedder, "smallest", "embedder", dtype="bfloat16")
    ours, loop = load_embedder(str(embedder), **chosen), EmbeddingLoop(embedder, **chosen)
    vectors = loop.embed_images(pictures)
    assert_same(ours.embed_images(pictures), vectors)
    assert_same(ours.embed_queries([Input(text="boat")]), loop.embed_query("boat"))
    assert (vectors @ vectors.T)[~np.eye(3, dtype=bool)].max() < 0.99

    reranker = tmp_path / "reranker"
    checkpoints.write(reranker, "smallest", "reranker", dtype="bfloat16")
    scores = load_reranker(str(reranker), **chosen).score("boat", pictures)
    assert_same(scores, RerankingLoop(reranker, **chosen).score("boat", pictures))


def test_a_section_takes_the_place_of_the_one_of_its_title():
    text = "# Benchmarks\n\nHead.\n\n## A\n\nold\n\n## B\n\nkept\n"
    assert (
        replaced(text, "## A\n\nnew\n") == "# Benchmarks\n\nHead.\n\n## A\n\nnew\n\n## B\n\nkept\n"
    )
    assert replaced(text, "## C\n\nnew\n") == text + "\n## C\n\nnew\n"


def test_a_command_is_measured_with_what_it_starts():
    work = "import time; held = list(range(4_000_000))\nwhile time.process_time() < 1: pass"
    child = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {work!r}])"
    done = run([sys.executable, "-c", f"{child}; print('worker'); print('{{\"kept\": 3}}')"])
    assert done.output == {"kept": 3}
    assert done.peak_mib > 100
    assert done.cpu_seconds > 1


def test_the_server_notes_what_it_answered(tmp_path):
    folders = tmp_path / "before", tmp_path / "after"
    for folder in folders:
        folder.mkdir()
        (folder / "u1.jpg").write_bytes(folder.name.encode())
    with museum_server.serving(tmp_path / "log", *folders) as server:
        path = urlsplit(server.url("u1")).path
        connection = http.client.HTTPConnection(urlsplit(server.address).netloc)
        connection.request("GET", path)
        whole = connection.getresponse()
        assert whole.read() == b"after"
        connection.request("GET", path, headers={"If-None-Match": whole.headers["ETag"]})
        assert connection.getresponse().read() == b""
        connection.request("GET", "/opendata/objects.csv")
        assert connection.getresponse().status == 404
        connection.close()
        asked = [(200, path), (304, path), (404, "/opendata/objects.csv")]
        assert server.requests() == Counter(asked)
        assert server.requests() == Counter()


def test_records_of_a_given_size_are_read(tmp_path):
    records.write_tables(tmp_path / "tables", objects=70, images=50)
    done = records.timed_artworks(tmp_path / "tables", tmp_path / "home")
    shown = {view.object_id for number in range(50) for view in views_at(0, number)}
    assert done["objects"] == 70
    assert 0 < done["works"] < min(50, len(shown))


def test_the_pictures_that_are_downloaded_are_whole_and_differ(tmp_path):
    sizes = downloads.write_pictures(tmp_path / "pictures", downloads.PAINTED + 1)
    contents = [(tmp_path / "pictures" / f"{name}.jpg").read_bytes() for name in sizes]
    assert [len(content) for content in contents] == list(sizes.values())
    assert len(set(contents)) == downloads.PAINTED + 1
    first, *_, again = (check_picture(content, "image/jpeg") for content in contents)
    assert again == first


def test_downloads_are_measured_where_img2dataset_cannot_be_installed(monkeypatch):
    def cannot(*_):
        raise LookupError("no network")

    monkeypatch.setattr(environments, "installed", cannot)
    text = "\n".join(downloads.measured(pictures=downloads.FEW + 2, rounds=1))
    assert "| ours, bytes kept and a thumbnail |" in text
    assert "| img2dataset | could not be installed: no network |" in text


def test_kinds_of_index_are_measured_side_by_side():
    asked = ["--works", "3000", "--dimension", "16", "--kinds", "flat", "ivf-flat:lists=4,nprobe=1"]
    text = index.report([*asked, "--rivals"])
    flat, lists = re.findall(r"^\| `(?:flat|ivf).*$", text, re.MULTILINE)
    assert flat.count("1.0000 / 1.0000") == 2
    assert "1.0000" not in lists  # what it overlooks is seen


def test_a_release_of_a_given_size_is_opened_and_answers(tmp_path):
    settings = Settings.load(home=tmp_path, dimension=16, reranker="none", secret="benchmark")
    release = simulate_release(settings, 300)
    opening.evict(release)
    figures = opening.opened(tmp_path)
    assert figures["both"] == figures["open"] + figures["first"]
    assert 0 < figures["index"] <= release.path(INDEX).stat().st_size / 2**20 + 1


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_refresh_asks_for_embeds_and_writes_what_changed(tmp_path):
    changes = refresh.Changes.of(8)
    full, changed, again = refresh.measure(8, changes, tmp_path).values()
    assert refresh.asked(full, ".jpg", 200) == 8
    uuids = [views_at(0, number)[0].uuid for number in (*changes.repainted, *changes.gained)]
    pictures = [path for _, path in changed.requests.elements() if path.endswith(".jpg")]
    assert sorted(path.split("/")[2] for path in pictures) == sorted(uuids)
    golden = sum(item.picture is not None for item in golden_items())
    counted = [each.run.output["pictures"] for each in (full, changed, again)]
    # Once as golden vectors are made or pictures are embedded, and again as texts are.
    assert counted == [8 + 2 * golden, len(uuids) + 2 * golden, 0]
    assert refresh.asked(again, ".jpg") == 0
    assert {"images", "thumbnails", "embeddings", "ledger"} & set(again.written) == set()
    releases = [each.run.output["release"] for each in (full, changed, again)]
    assert releases[0] != releases[1] == releases[2]


def test_filters_are_measured_on_a_simulated_release():
    section = filtering.report(["--works", "3000", "--dimension", "32", "--queries", "5"])
    lines = [line for line in section.splitlines() if line.startswith("| ")][1:]
    assert len(lines) == len(filtering.FILTERS)
    assert all(line.endswith("| 1.0000 |") for line in lines)
