"""The web demo: a photograph in, its faces as textured 3D models out.

Runs as a Hugging Face Space as it stands, and on any machine by `python spaces/app.py`. The page
loads nothing from other sites and sends nothing anywhere.
"""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr

from df2net_hub.demo_photo import demo_photo
from df2net_hub.photos import PhotoError
from df2net_hub.pipelines.df2net import DF2NetPipeline

TITLE = "DF2Net: a 3D face from one photograph"
INTRO = f"""\
# {TITLE}
Upload a photograph, take one, or click the example. Every face in it is reconstructed; the largest
one is shown in 3D: drag to turn it, scroll to come closer.
"""
NO_FACE = """\
**No face was found.** Faces turned by more than about 40 degrees, covered, or smaller than about 40
pixels are missed: try a photograph in which a face looks toward the camera.
"""
FORMATS = ("glb", "obj", "ply", "stl")
SYSTEM_FONTS = {  # the page would otherwise fetch its fonts from another site
    "font": ["system-ui", "sans-serif"],
    "font_mono": ["ui-monospace", "monospace"],
}


def build_app(pipe: DF2NetPipeline) -> gr.Blocks:
    """The page, with `pipe` behind its button."""

    def reconstruct(photo: str | None) -> Iterator[tuple[Any, ...]]:
        """A photo's path to what the page shows: message, mesh, stage pictures, files."""
        if photo is None:
            raise gr.Error("Choose a photograph first.")
        try:
            faces = pipe(photo).faces
        except PhotoError as error:
            raise gr.Error(str(error)) from error
        if not faces:
            yield NO_FACE, None, None, None
            return
        with tempfile.TemporaryDirectory() as folder:  # the page keeps copies of what it shows
            files = []
            for number, face in enumerate(faces, start=1):
                files += face.save(folder, f"face{number}", FORMATS)
            pictures = [(face.preview(), f"face {n}") for n, face in enumerate(faces, start=1)]
            mesh = Path(folder) / "face1.glb"
            yield summary(faces), str(mesh), pictures, [str(file) for file in files]

    with gr.Blocks(title=TITLE, analytics_enabled=False, delete_cache=(3600, 3600)) as app:
        gr.Markdown(INTRO)
        with gr.Row():
            with gr.Column():
                photo = gr.Image(
                    type="filepath", image_mode=None, sources=["upload", "webcam"], label="Photo"
                )
                button = gr.Button("Reconstruct", variant="primary")
                gr.Examples([[str(demo_photo())]], [photo], label="Example")
                message = gr.Markdown()
            mesh = gr.Model3D(label="3D face", clear_color=(0.9, 0.9, 0.9, 1.0))
        pictures = gr.Gallery(label="The three stages", columns=1, object_fit="contain")
        files = gr.Files(label="Files")
        outputs = [message, mesh, pictures, files]
        button.click(reconstruct, [photo], outputs, api_name="reconstruct")
    return app


if __name__ == "__main__":
    pipeline = DF2NetPipeline.from_pretrained(os.environ.get("DF2NET_MODEL"))
    build_app(pipeline).launch(theme=gr.themes.Default(**SYSTEM_FONTS))
