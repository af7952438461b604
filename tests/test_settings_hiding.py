"""What no sentence may show, and files of settings that are none."""

from pathlib import Path

import pytest

from domain.addresses import hidden_in, without_login
from environment import WrongSetting, with_secret_files
from settings import load_settings
from tests.run.programs import ended

URLS = ("DATABASE_URL", "DATABASE_OWNER_URL", "BACKUP_DATABASE_URL")


@pytest.mark.unit
@pytest.mark.parametrize("name", URLS)
@pytest.mark.parametrize(
    "password",
    [
        "TOPsecret%zzTAIL",
        "TOPsecret TAIL",
        "TOPsecret@TAIL",
        "TOPsecret/TAIL",
        "12/TOPsecret@TAIL",
        "12/TOPsecret",
        "12?TOPsecret",
        "12?a=TOPsecret",
        "TOPsecret#TAIL",
        "TOPsecret\0TAIL",
        "TOPsecret%00TAIL",
        "TOPsecret\nTAIL",
        "TOPsecret\u2028TAIL",
        "TOPsecret\udce4TAIL",
        "[TOPsecret]TAIL",
        "TOPsecret℀TAIL",
    ],
)
def test_a_password_that_is_not_encoded_is_told_without_showing_it(name: str, password: str) -> None:
    with pytest.raises(WrongSetting) as raised:
        load_settings({name: f"postgresql://owner:{password}@localhost:5432/neurocards"})
    sentence = str(raised.value)
    assert sentence.startswith(f"{name}: ")
    assert "percent-encode" in sentence
    assert "TOPsecret" not in sentence
    assert "TAIL" not in sentence


@pytest.mark.unit
@pytest.mark.parametrize(
    "address",
    [
        "postgresql://owner:a%40b%2Fc%25d%20e%23@localhost:5432/neurocards",
        "postgres:///neurocards?host=/run/postgresql",
        "postgresql://o@one,two:5432/neurocards?sslmode=verify-full&options=-c%20a=b",
        "postgresql://localhost",
        "postgresql://o:пароль@[::1]:5432/neurocards",
    ],
)
def test_addresses_that_every_library_reads_alike_are_taken(address: str) -> None:
    assert load_settings({"DATABASE_URL": address}).database_url.get_secret_value() == address


@pytest.mark.unit
@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("http://u:TOPsecret@proxy/x", "http://***@proxy/x"),
        ("s3://AKID:TOP/secret@b/x", "s3://***@b/x"),
        ("s3://bucket/backups", "s3://bucket/backups"),
        ("file:///srv/@media", "file:///srv/@media"),
        ("file://./.data/media", "file://./.data/media"),
    ],
)
def test_an_address_is_shown_without_its_login(address: str, shown: str) -> None:
    assert without_login(address) == shown


@pytest.mark.unit
def test_what_a_library_says_of_an_address_hides_its_password() -> None:
    said = 'invalid token: "TOP%2Fsecret" of postgresql://o:TOP%2Fsecret@h/n, TOP/secret, ONEsecret'
    assert hidden_in(said, "postgresql://o:TOP%2Fsecret@h/n?password=ONEsecret") == (
        'invalid token: "***" of postgresql://***@h/n, ***, ***'
    )


@pytest.mark.unit
def test_the_password_of_any_address_is_kept_out_of_the_log() -> None:
    settings = load_settings(
        {
            "DATABASE_URL": "postgresql://bot@localhost/neurocards?password=in-the-query",
            "OTEL_EXPORTER_OTLP_ENDPOINT": "http://u:of-the-collector@host:4318",
        }
    )
    hidden = {secret.get_secret_value() for secret in settings.secrets}
    assert {"in-the-query", "of-the-collector"} <= hidden


@pytest.mark.unit
def test_a_secret_file_may_begin_with_an_editors_mark_and_is_text(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_bytes(b"\xef\xbb\xbf123:abc\r\n")
    given = with_secret_files({"BOT_TOKEN_FILE": str(file)}, lambda _: True)
    assert given["BOT_TOKEN"] == "123:abc"
    for content in ("123:abc".encode("utf-16"), "123:abc".encode("utf-16-le"), b"\x80\xff"):
        file.write_bytes(content)
        with pytest.raises(WrongSetting, match=r"^BOT_TOKEN_FILE: .* is no text"):
            with_secret_files({"BOT_TOKEN_FILE": str(file)}, lambda _: True)
    with pytest.raises(WrongSetting, match=r"^BOT_TOKEN_FILE: .* is no text"):
        with_secret_files({"BOT_TOKEN_FILE": "/a\0b"}, lambda _: True)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "is not there"),
        ("DATABASE_URL=x".encode("utf-16"), "is no text"),
        (b"\x7fELF\x80", "is no text"),
    ],
)
async def test_a_named_file_of_settings_is_there_and_is_text(
    tmp_path: Path, content: bytes | None, says: str
) -> None:
    """A typing error would mean the default settings, hence another database."""
    file = tmp_path / "x.env"
    if content is not None:
        file.write_bytes(content)
    end = await ended("admin_main.py", "grant", "1", "5", "test", "--yes", settings={"ENV_FILE": str(file)})
    assert end.code == 2
    assert end.err.startswith(f"ENV_FILE: {file} {says}")
    assert len(end.err.splitlines()) == 1


async def test_a_file_of_settings_may_begin_with_an_editors_mark(tmp_path: Path) -> None:
    file = tmp_path / "x.env"
    file.write_bytes(b"\xef\xbb\xbfDATABASE_URL=mysql://there\n")
    end = await ended("admin_main.py", "keys", settings={"ENV_FILE": str(file)})
    assert end.code == 2
    assert end.err.startswith("DATABASE_URL: is not a PostgreSQL address")
