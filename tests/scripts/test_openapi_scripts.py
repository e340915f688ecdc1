"""The scripts that store the API's OpenAPI document and its index, run in this process and as processes."""

import hashlib
import json
import stat
from copy import deepcopy

import pytest
import sync_openapi
import yaml
from generate_openapi_index import FORMATS, difference, index_of
from hypothesis import given
from hypothesis import strategies as st

from rsspot.simulator.apiserver.crds import shipped
from rsspot.simulator.apiserver.openapi import swagger

SYNC, INDEX = "sync_openapi.py", "generate_openapi_index.py"
SMALL = {"openapi": "3.0.2", "info": {"title": "small", "version": "1"}, "paths": {"/a": {"get": {"responses": {}}}}}
POOLS = "/apis/ngpc.rxt.io/v1/namespaces/{namespace}/spotnodepools"


@pytest.fixture
def kept(tmp_path):
    """The directory in which the scripts store their files."""
    return tmp_path / "openapi"


@pytest.fixture
def synced(script, kept):
    """The directory after a first sync."""
    assert script(SYNC).returncode == 0
    return kept


def metadata(kept):
    """The metadata of the stored document."""
    return json.loads((kept / "openapi.meta.json").read_text())


def aged(kept):
    """Metadata with old timestamps."""
    old = {**metadata(kept), "fetched_at": "2020-01-01T00:00:00Z", "checked_at": "2020-01-01T00:00:00Z"}
    (kept / "openapi.meta.json").write_text(json.dumps(old))
    return old


def answer(document, **headers):
    """A scripted response with a JSON document."""
    return 200, {"Content-Type": "application/json", **headers}, json.dumps(document).encode()


def test_the_first_sync_stores_the_document_and_its_origin(process, simulator, kept):
    """Canonical JSON, readable by everyone, with digest, source and time."""
    ended = process(SYNC)
    assert ended.returncode == 0, ended.stderr
    text = (kept / "openapi.json").read_text()
    document = json.loads(text)
    assert POOLS in document["paths"]
    assert text == json.dumps(document, sort_keys=True, indent=1) + "\n"
    about = metadata(kept)
    assert about["sha256"] == hashlib.sha256(text.encode()).hexdigest()
    assert about["source"] == f"{simulator.url}/openapi/v2"
    assert about["format"] == 1
    assert about["failed"] == []
    assert about["fetched_at"] == about["checked_at"]
    assert ended.stdout == f"stored openapi/openapi.json from {simulator.url}/openapi/v2\n"
    assert {stat.S_IMODE(file.stat().st_mode) for file in kept.iterdir()} == {0o644}
    assert sorted(file.name for file in kept.iterdir()) == ["openapi.json", "openapi.meta.json"]


def test_an_unchanged_document_only_updates_the_check_time(script, synced):
    """Nothing else changes."""
    text, old = (synced / "openapi.json").read_bytes(), aged(synced)
    ended = script(SYNC)
    assert ended.stdout.startswith("unchanged: ")
    assert (synced / "openapi.json").read_bytes() == text
    new = metadata(synced)
    assert new["checked_at"] > old["checked_at"]
    assert {**new, "checked_at": ""} == {**old, "checked_at": ""}


def test_a_modified_document_is_fetched_again(script, synced):
    """The fetched document replaces it."""
    text = (synced / "openapi.json").read_bytes()
    (synced / "openapi.json").write_bytes(text.replace(b"SpotNodePool", b"SlotNodePool"))
    assert script(SYNC).stdout.startswith("stored ")
    assert (synced / "openapi.json").read_bytes() == text


def test_mismatched_metadata_is_written_again(script, synced):
    """A run interrupted between the two files leaves such metadata."""
    digest = metadata(synced)["sha256"]
    (synced / "openapi.meta.json").write_text("{")
    assert script(SYNC).returncode == 0
    assert metadata(synced)["sha256"] == digest


def test_sources_are_tried_in_order(script, origin, nobody, kept):
    """The first refuses the connection, the second returns 500, the third has it; the failures are recorded."""
    origin.answers["/broken?key=hidden"] = 500, {}, b"secret stack trace"
    origin.answers["/good"] = answer(SMALL, ETag='"v7"', **{"Last-Modified": "Mon, 01 Jan 2024 00:00:00 GMT"})
    urls = [f"{nobody}/first", f"{origin.url}/broken?key=hidden", f"{origin.url}/good"]
    ended = script(SYNC, *[word for url in urls for word in ("--url", url)])
    assert ended.returncode == 0
    about = metadata(kept)
    assert about["source"] == urls[2]
    assert (about["etag"], about["last_modified"]) == ('"v7"', "Mon, 01 Jan 2024 00:00:00 GMT")
    first, second = about["failed"]
    assert first["source"] == urls[0]
    assert "no connection was made" in first["why"]
    assert second == {"source": f"{origin.url}/broken", "why": "it answered 500"}


def test_the_api_itself_is_the_last_source(script, simulator, nobody, kept):
    """It is used if a --url fails."""
    assert script(SYNC, "--url", nobody).returncode == 0
    assert metadata(kept)["source"] == f"{simulator.url}/openapi/v2"


def test_version_three_is_fetched_if_there_is_no_version_two(script, origin, kept):
    """As newer servers publish it."""
    origin.answers["/openapi/v3/apis/ngpc.rxt.io/v1"] = answer(SMALL)
    assert script(SYNC, RSSPOT_BASE_URL=origin.url).returncode == 0
    assert metadata(kept)["failed"] == [{"source": f"{origin.url}/openapi/v2", "why": "it answered 404"}]


def test_a_slow_source_is_given_up(origin, kept, monkeypatch):
    """Even if it keeps sending."""
    monkeypatch.setattr(sync_openapi, "LONGEST", -1.0)
    origin.answers["/slow"] = answer(SMALL)
    sync = sync_openapi.Sync(kept, origin.url, "")
    assert sync.fetch([f"{origin.url}/slow"]) is None
    assert sync.failed[0]["why"].startswith("it took longer than")


def test_the_stored_document_is_the_last_resort(script, synced, nobody):
    """Nothing is written."""
    before = {file.name: file.read_bytes() for file in synced.iterdir()}
    ended = script(SYNC, RSSPOT_BASE_URL=nobody)
    assert (ended.returncode, ended.stdout) == (
        0,
        "nothing could be fetched; openapi/openapi.json stays as it is\n",
    )
    assert {file.name: file.read_bytes() for file in synced.iterdir()} == before


def test_with_nothing_fetched_and_nothing_stored_the_exit_code_is_one(script, nobody, kept):
    """No directory is created."""
    assert script(SYNC, RSSPOT_BASE_URL=nobody).returncode == 1
    assert not kept.exists()


def test_yaml_is_accepted(script, origin, kept):
    """Status codes and dates become strings."""
    document = {"swagger": "2.0", "paths": {"/a": {"get": {"responses": {200: {}}, "x-day": "DAY"}}}}
    text = yaml.safe_dump(document).replace("DAY", "2024-01-02")
    origin.answers["/spec.yaml"] = 200, {"Content-Type": "application/yaml"}, text.encode()
    assert script(SYNC, "--url", f"{origin.url}/spec.yaml").returncode == 0
    operation = json.loads((kept / "openapi.json").read_text())["paths"]["/a"]["get"]
    assert operation == {"responses": {"200": {}}, "x-day": "2024-01-02"}


def test_raw_control_characters_in_json_are_accepted(script, origin, kept):
    """Some vendors publish such documents."""
    body = json.dumps({**SMALL, "info": {"title": "TAB"}}).replace("TAB", "a\tb\x01\nc").encode()
    origin.answers["/raw"] = 200, {}, body
    assert script(SYNC, "--url", f"{origin.url}/raw").returncode == 0
    assert json.loads((kept / "openapi.json").read_text())["info"]["title"] == "a\tb\x01\nc"


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"<html><body>Sign in</body></html>", "what it has is not an OpenAPI document"),
        (b'{"paths": {"openapi/v2": {}}}', "what it has is not an OpenAPI document"),
        (b'{"swagger": "2.0", "paths": {', "what it has is neither JSON nor YAML"),
        (b"\xff\xfe\x00", "what it has is neither JSON nor YAML"),
        (b'swagger: "2.0"\npaths: {/a: &a {}, /b: *a}', "its YAML has aliases"),
        (b'{"swagger": "2.0", "paths": {}, "x": NaN}', "its document has values that JSON does not know"),
        (b"[" * 100_000, "its document is nested too deeply"),
        (b" " * (16 * 1024 * 1024 + 1), "its document is larger than 16 MiB"),
    ],
    ids=["page", "list of versions", "half", "binary", "aliases", "not a number", "deep", "large"],
)
def test_an_unusable_source_is_skipped(script, origin, simulator, kept, body, why):
    """The next source is tried, and the reason is recorded."""
    origin.answers["/odd"] = 200, {}, body
    assert script(SYNC, "--url", f"{origin.url}/odd").returncode == 0
    assert metadata(kept)["failed"] == [{"source": f"{origin.url}/odd", "why": why}]
    assert metadata(kept)["source"].startswith(simulator.url)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://example.com/spec", "plain http is for this machine only, not for example.com"),
        ("http://127.0.0.1.example.com/spec", "plain http is for this machine only, not for 127.0.0.1.example.com"),
        ("file:///etc/hostname", "it is not an address of http or https"),
        ("https://[::", "it is not an address, or leads to none"),
    ],
)
def test_some_urls_are_never_requested(script, kept, url, why):
    """No plain http to other hosts, and no local files."""
    assert script(SYNC, "--url", url).returncode == 0
    assert metadata(kept)["failed"][0]["why"] == why


def test_the_token_is_only_sent_to_the_api(script, origin, listen, bearer):
    """Not after a redirect, even to the same host, and not to another origin."""
    elsewhere = listen(type(origin)())
    origin.answers["/openapi/v2"] = 302, {"Location": "/moved"}, b""
    origin.answers["/moved"] = 307, {"Location": f"{elsewhere.url}/spec"}, b""
    elsewhere.answers["/spec"] = answer(SMALL)
    ended = script(SYNC, "--url", f"{elsewhere.url}/own", RSSPOT_BASE_URL=origin.url)
    assert ended.returncode == 0
    assert origin.asked["/openapi/v2"]["Authorization"] == f"Bearer {bearer}"
    assert "Authorization" not in origin.asked["/moved"]
    assert "Authorization" not in elsewhere.asked["/spec"]
    assert "Authorization" not in elsewhere.asked["/own"]


def test_a_redirect_may_not_lead_to_a_forbidden_url(script, origin, kept):
    """Neither to plain http nor in a loop."""
    origin.answers["/out"] = 302, {"Location": "http://example.com/spec"}, b""
    origin.answers["/round"] = 302, {"Location": "/round"}, b""
    script(SYNC, "--url", f"{origin.url}/out", "--url", f"{origin.url}/round")
    reasons = [each["why"] for each in metadata(kept)["failed"]]
    assert reasons == [
        "plain http is for this machine only, not for example.com",
        "it redirects more than 5 times",
    ]


def test_no_secret_is_stored_or_printed(script, origin, bearer, kept):
    """Neither the token nor the secret parts of a URL."""
    origin.answers["/spec?signature=hidden"] = answer(SMALL)
    address = origin.url.replace("://", "://user:password@")
    ended = script(SYNC, "--url", f"{address}/no?signature=hidden", "--url", f"{address}/spec?signature=hidden#part")
    assert ended.returncode == 0
    assert metadata(kept)["source"] == f"{origin.url}/spec"
    output = ended.stdout + ended.stderr + "".join(file.read_text() for file in kept.iterdir())
    for secret in (bearer, "hidden", "password", "#part"):
        assert secret not in output


def test_the_token_may_be_read_from_a_file(script, process, tmp_path, bearer, kept):
    """With a trailing newline; a missing file is a usage error."""
    (tmp_path / "token").write_text(f"{bearer}\n")
    assert process(SYNC, "--token-file", tmp_path / "token", RSSPOT_ID_TOKEN="").returncode == 0
    assert kept.exists()
    assert process(SYNC, "--token-file", tmp_path / "none").returncode == 3
    (tmp_path / "token").write_text("two words")
    refused = script(SYNC, "--token-file", tmp_path / "token")
    assert refused.returncode == 3
    assert "two words" not in refused.stderr


def test_without_a_token_the_api_refuses(script):
    """The script reports the status."""
    ended = script(SYNC, RSSPOT_ID_TOKEN="")
    assert ended.returncode == 1
    assert "it answered 401" in ended.stderr


def test_check_compares_and_writes_nothing(script, origin, kept):
    """2 for a difference or if nothing is stored yet, 0 if equal."""
    origin.answers["/spec"] = answer(SMALL)
    check = (SYNC, "--check", "--url", f"{origin.url}/spec")
    assert script(*check).returncode == 2
    assert not kept.exists()
    script(SYNC, "--url", f"{origin.url}/spec")
    aged(kept)
    before = (kept / "openapi.meta.json").read_bytes()
    assert script(*check).returncode == 0
    origin.answers["/spec"] = answer({**SMALL, "paths": {"/b": {}}})
    assert script(*check).returncode == 2
    assert (kept / "openapi.meta.json").read_bytes() == before


def test_an_unwritable_directory_is_an_error(script, tmp_path):
    """It is named, without a stack trace."""
    (tmp_path / "openapi").write_text("in the way")
    ended = script(SYNC)
    assert ended.returncode == 1
    assert ended.stderr.startswith("cannot write to openapi:")


def test_the_index_is_reproducible(process, synced):
    """Byte for byte, whatever the hash seed."""
    made = set()
    for seed in ("0", "1", "4711"):
        assert process(INDEX, PYTHONHASHSEED=seed).returncode == 0
        made.add((synced / "openapi_index.json").read_bytes())
    assert len(made) == 1


def test_the_index_describes_operations(script, synced):
    """Id, kind, parameters, schemas and digest, sorted by path."""
    script(INDEX)
    entries = json.loads((synced / "openapi_index.json").read_text())["operations"]
    (create,) = [each for each in entries if each["id"] == "createNgpcRxtIoV1NamespacedSpotNodePool"]
    assert (create["method"], create["path"]) == ("post", POOLS)
    assert create["kind"] == "ngpc.rxt.io/v1 SpotNodePool"
    assert create["parameters"] == ["dryRun", "fieldManager", "fieldValidation", "namespace", "pretty"]
    assert create["request"] == ["io.rxt.ngpc.v1.SpotNodePool"]
    assert create["responses"]["201"] == ["io.rxt.ngpc.v1.SpotNodePool"]
    assert [each["path"] for each in entries] == sorted(each["path"] for each in entries)


def test_an_index_does_not_differ_from_itself(script, synced):
    """Even if it is the output file."""
    script(INDEX)
    ended = script(INDEX, "--against", synced / "openapi_index.json")
    assert (ended.returncode, ended.stdout) == (0, "no difference\n")


@pytest.fixture
def moved_on(script, synced, tmp_path):
    """An older index, and a newer document with one operation added, one removed and one changed."""
    script(INDEX, "--output", tmp_path / "old.json")
    document = json.loads((synced / "openapi.json").read_text())
    paths = document["paths"]
    paths["/new"] = {"get": {"responses": {"200": {"description": "OK"}}}}
    del paths[f"{POOLS}/{{name}}"]["put"]
    paths[POOLS]["post"]["parameters"].pop()
    document["definitions"]["io.rxt.ngpc.v1.OnDemandNodePool"]["properties"]["spec"]["required"] = []
    (synced / "openapi.json").write_text(json.dumps(document))
    return tmp_path / "old.json"


def test_the_report_lists_added_removed_and_changed_operations(script, moved_on):
    """As text, part by part."""
    ended = script(INDEX, "--against", moved_on)
    assert ended.returncode == 2
    assert "+ GET /new (get /new)\n" in ended.stdout
    assert f"- PUT {POOLS}/{{name}} (replaceNgpcRxtIoV1NamespacedSpotNodePool)\n" in ended.stdout
    changed = f"~ POST {POOLS} (createNgpcRxtIoV1NamespacedSpotNodePool)\n    parameters: -fieldValidation\n"
    assert changed in ended.stdout
    ondemand = "createNgpcRxtIoV1NamespacedOnDemandNodePool)\n    request: what they are made of\n    responses: what"
    assert ondemand in ended.stdout


def test_the_report_has_json_and_markdown_formats(script, moved_on):
    """For programs and for reviewers."""
    report = json.loads(script(INDEX, "--against", moved_on, "--format", "json").stdout)
    assert [each["path"] for each in report["added"]] == ["/new"]
    assert [each["method"] for each in report["removed"]] == ["put"]
    changes = {each["id"]: each["changes"] for each in report["changed"]}
    assert changes["createNgpcRxtIoV1NamespacedSpotNodePool"] == {"parameters": "-fieldValidation"}
    report_text = script(INDEX, "--against", moved_on, "--format", "markdown").stdout
    assert "## Added (1)\n\n- `GET /new` (get /new)\n" in report_text


@pytest.mark.parametrize("content", ["{", "[]", '{"format": 1}', '{"format": 1, "operations": [{}]}'])
def test_a_file_that_is_not_an_index_is_refused(script, synced, tmp_path, content):
    """Before anything is written."""
    (tmp_path / "old.json").write_text(content)
    assert script(INDEX, "--against", tmp_path / "old.json").returncode == 1
    assert not (synced / "openapi_index.json").exists()


def test_an_index_needs_a_document(script):
    """The missing file is named."""
    ended = script(INDEX)
    assert (ended.returncode, ended.stderr) == (1, "openapi/openapi.json: No such file or directory\n")


def test_version_three_is_indexed_too():
    """Without ids, with contents, components and circular definitions."""
    tree = {"properties": {"children": {"type": "array", "items": {"$ref": "#/components/schemas/Tree"}}}}
    answers = {"200": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Tree"}}}}}
    operation = {
        "parameters": [{"$ref": "#/components/parameters/limit"}],
        "requestBody": {"content": {"application/json": {"schema": {"type": "object"}}}},
        "responses": answers,
    }
    limits = {"limit": {"name": "limit", "in": "query"}}
    components = {"schemas": {"Tree": tree}, "parameters": limits}
    item = {"post": operation, "parameters": [{"name": "x", "in": "path"}]}
    document = {"openapi": "3.0.2", "paths": {"/t/{x}": item}, "components": components}
    old = index_of(document)
    (entry,) = old["operations"]
    assert (entry["id"], entry["parameters"]) == ("post /t/{x}", ["limit", "x"])
    assert (entry["request"], entry["responses"]) == (["object"], {"200": ["Tree"]})
    tree["description"] = "grows"
    (changed,) = difference(old, index_of(document))["changed"]
    assert changed["changes"] == {"responses": "what they are made of"}


WHOLE = swagger(shipped(), "v1")
INDEX_OF_WHOLE = index_of(WHOLE)
WORDS = st.text(max_size=5)
JSONS = st.recursive(
    st.none() | st.booleans() | st.integers() | WORDS, lambda x: st.lists(x) | st.dictionaries(WORDS, x)
)
REFERENCES = st.sampled_from(["#/definitions/A", "#/definitions/B", "#/definitions/none", "elsewhere.json#/A"])
SCHEMAS = st.recursive(
    st.builds(lambda to: {"$ref": to}, REFERENCES) | st.just({"type": "string"}),
    lambda inner: (
        st.builds(lambda each: {"type": "array", "items": each}, inner)
        | st.builds(lambda each: {"properties": {"$ref": each}}, inner)
    ),
    max_leaves=4,
)
PARAMETERS = st.lists(
    st.fixed_dictionaries({"name": WORDS, "in": st.sampled_from(["query", "body"]), "schema": SCHEMAS})
)
OPERATIONS = st.fixed_dictionaries(
    {"responses": st.dictionaries(st.sampled_from(["200", "404"]), st.fixed_dictionaries({"schema": SCHEMAS}))},
    optional={"operationId": WORDS, "summary": WORDS, "parameters": PARAMETERS | JSONS, "requestBody": JSONS},
)
ITEMS = st.dictionaries(st.sampled_from(["get", "post", "parameters", "x-odd"]), OPERATIONS) | JSONS
DOCUMENTS = st.fixed_dictionaries(
    {
        "paths": st.dictionaries(WORDS, ITEMS, max_size=4),
        "definitions": st.fixed_dictionaries({"A": SCHEMAS, "B": SCHEMAS}),
    }
)


@given(DOCUMENTS)
def test_any_document_does_not_differ_from_itself(document):
    """Also one with invalid parts."""
    index = index_of(document)
    assert index_of(deepcopy(document)) == index
    assert json.loads(json.dumps(index)) == index
    report = difference(index, index)
    assert report == {"added": [], "removed": [], "changed": []}
    assert all(spell(report) for spell in FORMATS.values())


@given(DOCUMENTS, DOCUMENTS)
def test_a_reversed_difference_swaps_added_and_removed(one, other):
    """And has the same changed operations."""
    there, back = (difference(index_of(a), index_of(b)) for a, b in ((one, other), (other, one)))
    assert (there["added"], there["removed"]) == (back["removed"], back["added"])
    assert len(there["changed"]) == len(back["changed"])


@given(st.sampled_from(sorted(WHOLE["definitions"])))
def test_a_changed_definition_changes_every_operation_that_references_it(name):
    """Also indirectly."""
    document = deepcopy(WHOLE)
    document["definitions"][name]["description"] = "something else entirely"
    report = difference(INDEX_OF_WHOLE, index_of(document))
    assert report["changed"]
    assert not report["added"] + report["removed"]
