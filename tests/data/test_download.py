import hashlib
import http.server
import io
import os
import socket
import tarfile
import threading
import tracemalloc

import pytest

from seewell.data import download
from seewell.data.download import Archive, File, fetch, unpack
from seewell.errors import DataError

BODY = os.urandom(700_000)


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = BODY
        if self.path == "/missing":
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.path == "/cut":
            self.wfile.write(body[: len(body) // 2])
        elif self.path == "/other":
            self.wfile.write(body[:-1] + bytes([body[-1] ^ 1]))
        elif self.path == "/long":
            self.wfile.write(body + body)
        elif self.path == "/silent":
            self.wfile.flush()
            self.server.let_go.wait(20)
        else:
            self.wfile.write(body)

    def log_message(self, *_):
        pass


class Endless(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        try:
            while True:
                self.wfile.write(BODY)
        except OSError:
            self.server.hung_up = True

    def log_message(self, *_):
        pass


@pytest.fixture
def serve():
    running = []

    def start(handler):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        server.let_go = threading.Event()
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        running.append((server, thread))
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server, thread in running:
        server.let_go.set()
        server.shutdown()
        thread.join()
        server.server_close()


def wanted(*urls):
    return File("images.gz", urls, len(BODY), hashlib.sha256(BODY).hexdigest())


def left_over(folder):
    return sorted(path.name for path in folder.iterdir())


def test_the_right_file_is_kept_whole(serve, tmp_path):
    told = []
    fetch([wanted(serve(Handler) + "/good")], tmp_path / "set", progress=lambda *state: told.append(state))
    assert (tmp_path / "set" / "images.gz").read_bytes() == BODY
    assert left_over(tmp_path) == ["set"]
    assert told[-1] == ("downloading images.gz", len(BODY), len(BODY))
    assert [done for _, done, _ in told] == sorted(done for _, done, _ in told)


@pytest.mark.parametrize(
    ("path", "match"),
    [
        ("/other", "gave another file than the official one"),
        ("/cut", "gave 350,000 bytes|broke off"),
        ("/missing", "answered 404 Not Found"),
    ],
)
def test_what_is_not_the_official_file_is_thrown_away(serve, tmp_path, path, match):
    with pytest.raises(DataError, match=match) as caught:
        fetch([wanted(serve(Handler) + path)], tmp_path / "set")
    assert path in caught.value.what
    assert caught.value.fix
    assert left_over(tmp_path) == []


def test_a_wrong_hash_shows_both(serve, tmp_path):
    with pytest.raises(DataError) as caught:
        fetch([wanted(serve(Handler) + "/other")], tmp_path / "set")
    assert hashlib.sha256(BODY).hexdigest() in caught.value.expected
    assert len(caught.value.details["SHA-256"]) == 64


def test_no_more_is_read_than_the_official_size(serve, tmp_path):
    """An endless answer is left after the size that is known beforehand."""
    tracemalloc.start()
    with pytest.raises(DataError, match="gave more than 700,000 bytes"):
        fetch([wanted(serve(Endless) + "/good")], tmp_path / "set")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5_000_000
    assert left_over(tmp_path) == []


def test_a_server_that_falls_silent(serve, tmp_path, monkeypatch):
    monkeypatch.setattr(download, "_SECONDS", 0.3)
    with pytest.raises(DataError, match=r"broke off: timed out"):
        fetch([wanted(serve(Handler) + "/silent")], tmp_path / "set")
    assert left_over(tmp_path) == []


def test_nobody_listens(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/x"
        with pytest.raises(DataError, match="cannot be reached"):
            fetch([wanted(url)], tmp_path / "set")
    assert left_over(tmp_path) == []


def test_a_mirror_is_tried_when_the_first_address_fails(serve, tmp_path):
    base = serve(Handler)
    fetch([wanted(base + "/missing", base + "/other", base + "/good")], tmp_path / "set")
    assert (tmp_path / "set" / "images.gz").read_bytes() == BODY


def test_one_bad_file_means_no_set_at_all(serve, tmp_path):
    base = serve(Handler)
    second = File("labels.gz", (base + "/other",), len(BODY), hashlib.sha256(BODY).hexdigest())
    with pytest.raises(DataError):
        fetch([wanted(base + "/good"), second], tmp_path / "set")
    assert left_over(tmp_path) == []


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "blocked").touch()
    with pytest.raises(DataError, match="cannot be written") as caught:
        fetch([wanted("http://127.0.0.1:9/x")], tmp_path / "blocked" / "set")
    assert "SEEWELL_CACHE" in caught.value.fix


def test_a_set_that_another_process_finished_first_is_kept(serve, tmp_path):
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "images.gz").write_bytes(b"first")
    fetch([wanted(serve(Handler) + "/good")], tmp_path / "set")
    assert (tmp_path / "set" / "images.gz").read_bytes() == b"first"
    assert left_over(tmp_path) == ["set"]


def test_an_archive_is_fetched_and_unpacked(serve, tmp_path, monkeypatch):
    data = tar_bytes([("top/a.bin", b"aaaa"), ("top/readme.html", b"<p>"), ("top/b.bin", b"bb")])
    monkeypatch.setitem(globals(), "BODY", data)
    archive = Archive(
        "x.tar.gz", (serve(Handler) + "/good",), len(data), hashlib.sha256(data).hexdigest(), {"a.bin": 4, "b.bin": 2}
    )
    fetch([archive], tmp_path / "set")
    assert {path.name: path.read_bytes() for path in (tmp_path / "set").iterdir()} == {"a.bin": b"aaaa", "b.bin": b"bb"}
    assert left_over(tmp_path) == ["set"]


def tar_bytes(members):
    """A tar.gz of (name, bytes) or TarInfo."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for member in members:
            if isinstance(member, tarfile.TarInfo):
                tar.addfile(member)
            else:
                info = tarfile.TarInfo(member[0])
                info.size = len(member[1])
                tar.addfile(info, io.BytesIO(member[1]))
    return out.getvalue()


def special(name, kind, target=""):
    info = tarfile.TarInfo(name)
    info.type = kind
    info.linkname = target
    return info


@pytest.fixture
def try_archive(tmp_path):
    def attempt(members, limits=None):
        (tmp_path / "x.tar.gz").write_bytes(members if isinstance(members, bytes) else tar_bytes(members))
        (tmp_path / "out").mkdir(exist_ok=True)
        unpack(tmp_path / "x.tar.gz", tmp_path / "out", limits or {"a.bin": 4})
        return {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}

    return attempt


@pytest.mark.parametrize(
    "extra",
    [
        ("../evil.txt", b"x"),
        ("/seewell-evil.txt", b"x"),
        ("top/../../evil.txt", b"x"),
        ("../a.bin", b"evil"),
        special("link", tarfile.SYMTYPE, "/etc"),
        special("hard", tarfile.LNKTYPE, "/etc/passwd"),
        special("pipe", tarfile.FIFOTYPE),
        special("device", tarfile.CHRTYPE),
    ],
    ids=["dots", "absolute", "inner dots", "wanted name above", "symlink", "hardlink", "pipe", "device"],
)
def test_nothing_but_the_wanted_members_is_written(try_archive, tmp_path, extra):
    """Row 53."""
    assert try_archive([extra, ("top/a.bin", b"aaaa")]) == {"a.bin": b"aaaa"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "x.tar.gz"]
    assert not os.path.exists("/seewell-evil.txt")


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.DIRTYPE])
def test_a_wanted_member_that_is_no_regular_file_is_refused(try_archive, tmp_path, kind):
    """Row 53: also where a link of that name would lead the next member elsewhere."""
    with pytest.raises(DataError, match=r"a\.bin in it is not a regular file"):
        try_archive([special("a.bin", kind, "../evil.txt"), ("a.bin", b"aaaa")])
    assert not (tmp_path / "evil.txt").exists()


def test_a_member_that_is_too_large_or_there_twice(try_archive):
    """Row 53."""
    with pytest.raises(DataError, match="too large or there twice"):
        try_archive([("a.bin", b"aaaaa")])
    with pytest.raises(DataError, match="too large or there twice"):
        try_archive([("a.bin", b"aaaa"), ("b/a.bin", b"bbbb")])


def test_an_archive_bomb(try_archive):
    """Rows 50 and 53: 100 MB of zeros before the member that is wanted."""
    with pytest.raises(DataError, match="unpacks to far more"):
        try_archive([("zeros", bytes(100_000_000)), ("a.bin", b"aaaa")])


def test_a_missing_member_is_named(try_archive):
    with pytest.raises(DataError, match=r"it lacks b\.bin"):
        try_archive([("a.bin", b"aaaa")], {"a.bin": 4, "b.bin": 4})


@pytest.mark.parametrize("length", [0, 5, 60, 20_000])
def test_a_cut_archive(try_archive, length):
    whole = tar_bytes([("a.bin", os.urandom(30_000))])
    with pytest.raises(DataError, match=r"x\.tar\.gz cannot be used"):
        try_archive(whole[:length], {"a.bin": 30_000})


def test_no_archive_at_all(try_archive):
    with pytest.raises(DataError, match="cannot be used"):
        try_archive(b"<html>not found</html>")
