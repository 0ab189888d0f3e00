"""The web demo: the page is built, served on loopback and called as a browser would call it."""

import importlib.util
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from df2net_hub.demo_photo import demo_photo
from df2net_hub.modeling.cascade import DF2Net
from df2net_hub.pipelines.df2net import DF2NetPipeline

gradio_client = pytest.importorskip("gradio_client", reason="the extra `space` is not installed")
pytest.importorskip("gradio", reason="the extra `space` is not installed")

SPACES = Path(__file__).resolve().parent.parent / "spaces"


@pytest.fixture(scope="module")
def space():
    """spaces/app.py; the folder is no package, so that it does not hide ZeroGPU's `spaces`."""
    assert not (SPACES / "__init__.py").exists()
    spec = importlib.util.spec_from_file_location("space_app", SPACES / "app.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def client(space, tiny_cascade: DF2Net) -> Iterator[gradio_client.Client]:
    app = space.build_app(DF2NetPipeline(tiny_cascade))
    _, url, _ = app.launch(
        server_name="127.0.0.1", prevent_thread_lock=True, quiet=True, theme=space.THEME
    )
    yield gradio_client.Client(url, verbose=False, analytics_enabled=False)
    app.close()


def call(client: gradio_client.Client, photo: Path):
    return client.predict(gradio_client.handle_file(photo), api_name="/reconstruct")


def test_a_photo_gives_a_mesh_the_stages_and_the_files(client: gradio_client.Client) -> None:
    message, mesh, pictures, files = call(client, demo_photo())
    assert message == "**One face.**"
    assert Path(mesh).name == "face1.glb"
    assert Path(mesh).read_bytes()[:4] == b"glTF"
    assert min(Image.open(pictures).size) >= 256
    assert {Path(file).suffix for file in files} >= {".glb", ".obj", ".ply", ".stl"}


def test_a_photo_without_a_face_gives_a_message_and_nothing_else(
    client: gradio_client.Client, tmp_path: Path
) -> None:
    Image.new("RGB", (200, 200), (90, 90, 90)).save(tmp_path / "wall.png")
    message, *rest = call(client, tmp_path / "wall.png")
    assert "No face was found" in message
    assert not any(rest)


def test_a_photo_that_cannot_be_read_gives_its_error(
    client: gradio_client.Client, tmp_path: Path
) -> None:
    Image.new("RGB", (1, 1)).save(tmp_path / "dot.png")
    with pytest.raises(Exception, match="dot.png"):
        call(client, tmp_path / "dot.png")


def test_no_photo_gives_an_error_that_says_so(client: gradio_client.Client) -> None:
    with pytest.raises(Exception, match="Choose a photograph first"):
        client.predict(None, api_name="/reconstruct")


def test_the_page_names_no_other_site_to_load_from(space, client: gradio_client.Client) -> None:
    theme_fonts = [*space.THEME._font, *space.THEME._font_mono]
    assert not any(hasattr(font, "stylesheet") and font.stylesheet()["url"] for font in theme_fonts)


def test_the_front_matter_names_the_file_that_the_space_runs() -> None:
    _, front_matter, _ = (SPACES / "README.md").read_text().split("---\n", 2)
    values = dict(line.split(": ", 1) for line in front_matter.strip().splitlines())
    assert values["sdk"] == "gradio"
    assert (SPACES / values["app_file"]).is_file()
    assert "df2net_hub" in (SPACES / "requirements.txt").read_text()
