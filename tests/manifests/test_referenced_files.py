"""`${file:…}` and `${env:…}`: which fields may have the texts of which files, and what never is a value."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from support.folders import CLOUDSPACE, STACK, hints_of, one, overlay, problems_of, read, written

PUBLIC_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGeYlqDf4UaYyC0rBS0jZ3nGPCWvSbbWvDyBYH0qYLcM ops@example.com"
KEY = "apiVersion: ngpc.rxt.io/v1\nkind: VMSSHKey\nmetadata: {{name: ops}}\nspec: {{publicKey: '{}'}}\n"
SECRET, SHOWN = "webhook", "annotation"


@pytest.fixture(autouse=True)
def files(folder: Path) -> None:
    """Files beside the manifests, above them and elsewhere; config files with a token."""
    written({"m/note.txt": "beside\n", "m/deep/note.txt": "deep\n", "above.txt": "above\n"})
    written({"home/.ssh/id.pub": f"{PUBLIC_KEY}\n", "home/.config/rsspot/config.yml": "x: 1\n"}, folder.parent)
    written({"home/.config/rsspot/tokens/a.json": "{}", "home/.spot_config": "x", "token": "tok-492817"}, folder.parent)


def document(reference: str, field: str) -> str:
    """A cloudspace with a reference in a secret field, or in one that is shown."""
    if field == SECRET:
        return f"{CLOUDSPACE}  webhook: '{reference}'\n"
    return CLOUDSPACE.replace("name: edge", f"name: edge\n  annotations: {{a: '{reference}'}}")


def value(reference: str, field: str, path: str = "m", **environ: str) -> object:
    """What a reference stands for."""
    written({"m/a.yaml": document(reference, field)})
    body = one(path, environ=environ).body
    return body["spec"].get("webhook") or body["metadata"]["annotations"]["a"]


def problem(reference: str, field: str, path: str = "m", **environ: str) -> str:
    """Why a reference is refused."""
    written({"m/a.yaml": document(reference, field)})
    (said,) = problems_of(path, environ=environ)
    return said


@pytest.mark.parametrize("field", [SECRET, SHOWN])
@pytest.mark.parametrize(
    ("name", "text"), [("note.txt", "beside"), ("deep/note.txt", "deep"), ("../m/note.txt", "beside")]
)
def test_files_of_the_folder_are_values_of_any_field(field: str, name: str, text: str) -> None:
    """Whether the folder or a file in it is given."""
    assert value(f"${{file:{name}}}", field) == value(f"${{file:{name}}}", field, "m/a.yaml") == text


@pytest.mark.parametrize(
    "name", ["../above.txt", "deep/../../above.txt", "link.txt", "linked/above.txt", "/etc/passwd"]
)
def test_files_outside_are_for_secret_fields(name: str, folder: Path) -> None:
    """Links are followed before a file counts as inside; a default makes no difference."""
    Path("m/link.txt").symlink_to("../above.txt")
    Path("m/linked").symlink_to("..")
    for reference in (f"${{file:{name}}}", f"${{file:{name}:-x}}"):
        said = problem(reference, SHOWN)
        assert said == f"m/a.yaml:5:17: the file {name!r} is outside of {folder}/m, and the field is not secret"
        assert value(reference, SECRET)


def test_a_file_that_is_given_stands_for_its_folder() -> None:
    """Not for those above it; each folder that is given counts."""
    written({"m/deep/a.yaml": document("${file:../note.txt}", SHOWN)})
    assert "outside of" in problems_of("m/deep/a.yaml")[0]
    assert read("m").manifests[0].body["metadata"]["annotations"] == {"a": "beside"}
    written({"other/b.yaml": document("${file:../m/note.txt}", SHOWN).replace("edge", "two")})
    assert len(read("m", "other").manifests) == 2


def test_an_included_file_has_its_own_folder() -> None:
    """A manifest cannot make another folder its own by including it."""
    stack = f"{STACK}spec: {{include: [../base]}}\n---\n"
    written({"base/a.yaml": document("${file:b.txt}", SHOWN), "base/b.txt": "base", "m/stack.yaml": stack})
    assert one("m").body["metadata"]["annotations"] == {"a": "base"}
    written({"m/c.yaml": document("${file:../base/b.txt}", SHOWN).replace("edge", "two")})
    assert "outside of" in problems_of("m")[0]


def test_a_value_of_an_overlay_is_beside_the_overlay() -> None:
    """And has its folder."""
    merge = "merge: {metadata: {annotations: {a: '${file:b.txt}', c: '${file:../m/note.txt}'}}}"
    written({"m/a.yaml": CLOUDSPACE, "over/a.yaml": overlay("{kind: CloudSpace}", merge), "over/b.txt": "over"})
    assert one("m", "over").body["metadata"]["annotations"] == {"a": "over", "c": "beside"}


def test_a_secret_may_come_through_a_variable() -> None:
    """It is refused where the variable stands in a field that is shown."""
    stack = (
        f"{STACK}spec: {{variables: {{v: '${{file:../above.txt}}', k: {{default: '${{file:../above.txt}}'}}}}}}\n---\n"
    )
    for name in ("v", "k"):
        written({"m/a.yaml": stack + document(f"${{var:{name}}}", SECRET)})
        assert one("m").spec["webhook"] == "above"
        written({"m/a.yaml": stack + document(f"${{var:{name}}}", SHOWN)})
        assert "the file '../above.txt' is outside of" in problems_of("m")[0]
        assert one("m", variables={name: "given"}).body["metadata"]["annotations"] == {"a": "given"}


def test_a_public_key_may_be_anywhere(folder: Path) -> None:
    """The field takes nothing else, so nothing can be told by it."""
    environ = {"HOME": str(folder.parent / "home")}
    for name in ("~/.ssh/id.pub", "../../home/.ssh/id.pub"):
        written({"m/a.yaml": KEY.format(f"${{file:{name}}}")})
        assert one("m", environ=environ).spec["publicKey"] == PUBLIC_KEY
    written({"m/a.yaml": KEY.format("${file:../above.txt}")})
    (said,) = problems_of("m")
    assert "must be a public key" in said
    assert "above" not in said.replace("above.txt", "")


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("none.txt", "No such file or directory"),
        (".", "Is a directory"),
        ("deep/none/x", "No such file or directory"),
        ("note.txt/x", "Not a directory"),
        ("binary", "not UTF-8 (byte 0)"),
        ("n" * 300, "File name too long"),
        ("long", "larger than 64 KiB"),
        ("pipe", "not a regular file"),
        ("~/none", "No such file or directory"),
    ],
)
def test_a_file_without_a_text_is_named_with_the_reason(name: str, why: str, folder: Path) -> None:
    """A device or a pipe is not waited for."""
    Path("m/binary").write_bytes(b"\xff")
    Path("m/long").write_text("x" * (64 * 1024 + 1))
    os.mkfifo("m/pipe")
    home = str(folder.parent / "home")
    assert problem(f"${{file:{name}}}", SECRET, HOME=home) == f"m/a.yaml:8:3: no readable file {name!r}: {why}"
    assert value(f"${{file:{name}:-instead}}", SECRET, HOME=home) == "instead"


@pytest.mark.parametrize("name", ["/dev/zero", "/dev/stdin", "/proc/self/environ", "/sys/kernel/notes"])
def test_what_the_system_makes_up_is_no_file(name: str) -> None:
    """The environment of a process is one of these."""
    assert f"no readable file {name!r}" in problem(f"${{file:{name}}}", SECRET)
    assert "outside of" in problem(f"${{file:{name}}}", SHOWN)


@pytest.mark.parametrize(
    ("name", "variable"),
    [
        ("config.yml", None),
        ("tokens/a.json", None),
        ("../../.spot_config", None),
        ("../../../token", "RSSPOT_REFRESH_TOKEN_FILE"),
        ("../../../token", "RXTSPOT_TOKEN_FILE"),
        ("../../../token", "RSSPOT_CONFIG"),
        ("../../../token", "RSSPOT_STATE_PATH"),
    ],
)
@pytest.mark.parametrize("field", [SECRET, SHOWN])
def test_our_own_files_are_no_values(name: str, variable: str | None, field: str, folder: Path) -> None:
    """Whatever is in them, also behind a link, and also where manifests are kept beside them."""
    home = folder.parent / "home"
    environ = {"HOME": str(home), **({variable: str(folder.parent / "token")} if variable else {})}
    file = home / ".config" / "rsspot" / name
    Path("m/link").symlink_to(file.resolve())
    for reference in (f"${{file:{file}}}", "${file:link}", "${file:link:-x}"):
        said = problem(reference, field, **environ)
        assert "holds credentials and is never sent as a value" in said
        assert "tok-" not in said


@pytest.mark.parametrize("name", ["RACKSPACE_SPOT_TOKEN", "RXTSPOT_TOKEN", "rackspace_access_token"])
def test_a_file_with_our_variables_is_not_shown(name: str) -> None:
    """Such as one for a shell; a machine's user data may set them."""
    Path("m/note.txt").write_text(f"export {name}=tok-492817\n")
    said = problem("${file:note.txt}", SHOWN)
    assert "the file 'note.txt' holds credentials" in said
    assert "tok-" not in said


@pytest.mark.parametrize(
    "name",
    [
        "RACKSPACE_API_KEY",
        "RACKSPACE_SPOT_PASSWORD",
        "SPOT_CLIENT_SECRET",
        "RSSPOT_PLAN_KEY",
        "RSSPOT_PROXY",
        "spot_token",
    ],
)
def test_variables_named_like_credentials_are_for_secret_fields(name: str) -> None:
    """Those of this service; others are the author's own."""
    said = problem(f"${{env:{name}:-x}}", SHOWN, **{name: "tok-492817"})
    assert said == f"m/a.yaml:5:17: {name} is named like a credential, and the field is not secret"
    assert value(f"${{env:{name}}}", SECRET, **{name: "tok-492817"}) == "tok-492817"


@pytest.mark.parametrize("name", ["RSSPOT_ORG", "SPOT_REGION", "RACKSPACE_REGION", "CI_TOKEN_NAME", "GITHUB_SHA"])
def test_other_variables_are_values(name: str) -> None:
    """As they always were."""
    assert value(f"${{env:{name}}}", SHOWN, **{name: "x"}) == "x"


def test_the_way_out_is_told() -> None:
    """Copy the file."""
    written({"m/a.yaml": document("${file:../above.txt}", SHOWN)})
    assert hints_of("m") == "copy it there; links are followed first"


def test_many_references_to_one_file_read_it_once_and_are_bounded() -> None:
    """A text of 64 KiB a thousand times in one value is refused."""
    Path("m/long").write_text("x" * 60_000)
    said = problem("${file:long}" * 1000, SHOWN)
    assert said == "m/a.yaml:5:17: more than 16777216 characters in texts with references"
