"""The web demo: a photograph in, its faces as textured 3D models out.

Runs as a Hugging Face Space as it stands, and on any machine by `python spaces/app.py`. The page
loads nothing from other sites and sends nothing anywhere.
"""

import os
import shutil
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np

from df2net_hub.demo_photo import demo_photo
from df2net_hub.photos import PhotoError
from df2net_hub.pipelines.df2net import DF2NetPipeline
from df2net_hub.result import Face

TITLE = "DF2Net: a 3D face from one photograph"
INTRO = f"""\
# {TITLE}
Upload a photograph, take one, or click the example. Every face in it is reconstructed; the largest
one is shown in 3D: drag to turn it, scroll to come closer.
"""
NO_FACE = """\
**No face was found.** Faces in profile, covered or very small are missed: try a photograph in which
a face looks toward the camera.
"""
FORMATS = ("glb", "obj", "ply", "stl")
KEPT_S = 600  # how long the files of a request stay before a later one deletes them [s]

# Gradio's own theme would fetch its fonts from another site.
THEME = gr.themes.Default(font=["system-ui", "sans-serif"], font_mono=["monospace"])


def build_app(pipe: DF2NetPipeline) -> gr.Blocks:
    """The page, with `pipe` behind its button."""
    with gr.Blocks(title=TITLE, analytics_enabled=False, delete_cache=(3600, 3600)) as app:
        gr.Markdown(INTRO)
        with gr.Row():
            with gr.Column():
                photo = gr.Image(
                    type="filepath", image_mode=None, sources=["upload", "webcam"], label="Photo"
                )
                button = gr.Button("Reconstruct", variant="primary")
                gr.Examples([[str(demo_photo())]], [photo], label="Example")
            with gr.Column():
                mesh = gr.Model3D(label="3D face", height=480, clear_color=(0.9, 0.9, 0.9, 1.0))
                message = gr.Markdown()
        pictures = gr.Image(
            label="Photo and stages, face by face", show_label=False, interactive=False,
            buttons=["download", "fullscreen"],
        )  # fmt: skip
        files = gr.Files(label="Files", interactive=False)
        # No generator here: Gradio's 3D viewer stays empty when a value is streamed to it.
        button.click(
            lambda path: reconstruct(pipe, path),
            [photo],
            [message, mesh, pictures, files],
            api_name="reconstruct",
        )
    return app


def reconstruct(pipe: DF2NetPipeline, photo: str | None) -> tuple[Any, ...]:
    """A photo's path to what the page shows: message, mesh, stage pictures, files."""
    if photo is None:
        raise gr.Error("Choose a photograph first.")
    try:
        faces = pipe(photo).faces
    except PhotoError as error:
        raise gr.Error(str(error)) from error
    if not faces:
        return NO_FACE, None, None, None
    folder = fresh_folder()
    files = []
    for number, face in enumerate(faces, start=1):
        files += face.save(folder, f"face{number}", FORMATS)
    pictures = np.vstack([face.preview() for face in faces])
    return summary(faces), str(folder / "face1.glb"), pictures, [str(file) for file in files]


def summary(faces: Sequence[Face]) -> str:
    """What was found, in words."""
    found = "One face" if len(faces) == 1 else f"{len(faces)} faces"
    by_mask = " The detector missed it; the network's own mask found it."
    return f"**{found}.**{by_mask if faces[0].box.found_by == 'mask' else ''}"


def fresh_folder() -> Path:
    """A new folder for one request's files; Gradio copies from it what the page shows."""
    root = Path(tempfile.gettempdir()) / "df2net_hub_space"
    root.mkdir(exist_ok=True)
    for old in root.iterdir():
        if time.time() - old.stat().st_mtime > KEPT_S:
            shutil.rmtree(old, ignore_errors=True)
    return Path(tempfile.mkdtemp(dir=root))


if __name__ == "__main__":
    pipeline = DF2NetPipeline.from_pretrained(os.environ.get("DF2NET_MODEL"))
    build_app(pipeline).launch(theme=THEME)
