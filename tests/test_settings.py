"""A wrong setting stops the start with its name and an example; empty is not set."""

import pytest

from environment import WrongSetting, port_in
from settings import Settings, load_kie_keys, load_settings, require, require_kie_key

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BOT_TOKEN", "hello"),
        ("BOT_TOKEN", "123:токен"),
        ("OPENAI_API_KEY", "sk-with a space"),
        ("TELEGRAM_API_BASE", "api.telegram.org"),
        ("TELEGRAM_UPDATES", "pigeon"),
        ("TELEGRAM_WEBHOOK_SECRET", "with a space"),
        ("TELEGRAM_WEBHOOK_SECRET", "a" * 257),
        ("PUBLIC_BASE_URL", "ftp://bot.example.com"),
        ("WEB_PORT", "eighty"),
        ("WEB_PORT", "70000"),
        ("KIE_API_BASE", "kie"),
        ("KIE_UPLOAD_BASE", "https://"),
        ("VIDEO_MODELS", "sora-9"),
        ("VIDEO_MODELS", ", ,"),
        ("OPENAI_BASE_URL", "v1"),
        ("DATABASE_URL", "mysql://localhost/neurocards"),
        ("DATABASE_URL", "postgresql://user:pass@word@localhost:five/neurocards"),
        ("KIE_API_BASE", "http://localhost:http"),
        ("DATABASE_OWNER_URL", "mysql://localhost/neurocards"),
        ("TEMPORAL_ADDRESS", "localhost"),
        ("TEMPORAL_ADDRESS", "localhost:72333"),
        ("TEMPORAL_ADDRESS", "a b:7233"),
        ("TEMPORAL_ADDRESS", "a:²"),
        ("TEMPORAL_ADDRESS", "хост:7233"),
        ("TEMPORAL_ADDRESS", "http://localhost:7233"),
        ("TEMPORAL_PAYLOAD_KEY", "0123456789abcdef0123456789abcdef"),
        ("TEMPORAL_PAYLOAD_KEY", "k1:c2hvcnQ="),
        ("TEMPORAL_PAYLOAD_KEY", "k1:letters that are no base64"),
        ("TEMPORAL_UI_URL", "localhost:8233"),
        ("CODEC_TOKEN", "short"),
        ("CODEC_TOKEN", "with a space between its 24 letters"),
        ("MEDIA_URL", "/var/media"),
        ("MEDIA_URL", "file://var/media"),
        ("MEDIA_URL", "s3://"),
        ("ADMIN_TG_IDS", "12,bob"),
        ("ADMIN_TG_IDS", "²"),
        ("ADMIN_TG_IDS", "١٢٣"),
        ("WELCOME_CREDITS", "-1"),
        ("METRICS_PORT", "-5"),
        ("LOG_FORMAT", "xml"),
        ("TIME_SCALE", "0"),
    ],
)
def test_wrong_value_names_the_setting_and_gives_an_example(name: str, value: str) -> None:
    with pytest.raises(WrongSetting) as raised:
        load_settings({name: value})
    sentence = str(raised.value)
    assert sentence.startswith(f"{name}: ")
    assert f"for example {name}=" in sentence
    assert "\n" not in sentence


def test_the_example_of_each_message_is_itself_accepted() -> None:
    bases = {"KIE_WEBHOOK_SECRET": "x" * 20}
    for name, value in (("PUBLIC_BASE_URL", "https://bot.example.com"), ("METRICS_PORT", "9464")):
        assert load_settings({**bases, name: value})


def test_no_environment_is_enough_for_the_defaults() -> None:
    assert load_settings({}) == Settings()


def test_empty_is_not_set() -> None:
    assert load_settings({"WEB_PORT": "", "LOG_FORMAT": ""}) == Settings()


def test_names_in_lower_case_are_somebody_elses() -> None:
    assert load_settings({"web_port": "not ours"}) == Settings()


WEBHOOK = {"TELEGRAM_UPDATES": "webhook", "TELEGRAM_WEBHOOK_SECRET": "s" * 20, "KIE_WEBHOOK_SECRET": "k" * 20}


@pytest.mark.parametrize(
    "address",
    ["https://bot.example.com", *(f"https://bot.example.com:{port}/x" for port in (443, 80, 88, 8443))],
)
def test_telegram_posts_to_four_ports(address: str) -> None:
    assert load_settings({**WEBHOOK, "PUBLIC_BASE_URL": address}).telegram_updates == "webhook"


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("https://bot.example.com:8088", "443, 80, 88, 8443 only, not 8088"),
        ("http://bot.example.com", "https only"),
    ],
)
def test_where_telegram_posts_nothing_is_refused_by_name(address: str, said: str) -> None:
    with pytest.raises(WrongSetting, match=f"^PUBLIC_BASE_URL: .*{said}.*for example PUBLIC_BASE_URL="):
        load_settings({**WEBHOOK, "PUBLIC_BASE_URL": address})
    elsewhere = {"PUBLIC_BASE_URL": address, "TELEGRAM_API_BASE": "http://localhost:8081"}
    assert load_settings({**WEBHOOK, **elsewhere})
    polled = {"PUBLIC_BASE_URL": address, "KIE_WEBHOOK_SECRET": "k" * 20}
    assert load_settings(polled)


@pytest.mark.parametrize(
    ("environment", "missing"),
    [
        ({"PUBLIC_BASE_URL": "https://bot.example.com"}, "KIE_WEBHOOK_SECRET"),
        ({"TELEGRAM_UPDATES": "webhook"}, "PUBLIC_BASE_URL"),
        (
            {"TELEGRAM_UPDATES": "webhook", "PUBLIC_BASE_URL": "https://bot.example.com"},
            "TELEGRAM_WEBHOOK_SECRET",
        ),
    ],
)
def test_settings_that_need_each_other(environment: dict[str, str], missing: str) -> None:
    with pytest.raises(WrongSetting, match=f"^{missing}: must be set when"):
        load_settings(environment)


def test_a_program_says_what_it_cannot_do_without() -> None:
    with pytest.raises(WrongSetting, match=r"^BOT_TOKEN: is not set, for example BOT_TOKEN="):
        require(load_settings({}), "BOT_TOKEN")
    with pytest.raises(WrongSetting, match=r"^KIE_API_KEY: is not set"):
        require_kie_key(())


def test_secrets_show_nothing_and_are_all_listed() -> None:
    settings = load_settings({"BOT_TOKEN": "1:secret-one", "OPENAI_API_KEY": "secret-two"})
    assert "secret-one" not in repr(settings)
    assert {"1:secret-one", "secret-two"} <= {secret.get_secret_value() for secret in settings.secrets}


def test_each_key_is_its_own_account_unless_named() -> None:
    keys = load_kie_keys(
        {
            "KIE_API_KEY": "aaaa",
            "KIE_API_KEY_1": "bbbb",
            "KIE_API_KEY_10": "cccc",
            "KIE_API_KEY_10_ACCOUNT": "main",
            "KIE_API_KEY_11": "beyond the ten",
        }
    )
    assert [key.ref.account for key in keys] == [keys[0].ref.key_id, keys[1].ref.key_id, "main"]
    assert len({key.ref.key_id for key in keys}) == 3


def test_a_new_secret_in_an_old_slot_is_a_new_key() -> None:
    before, after = (load_kie_keys({"KIE_API_KEY_1": secret})[0].ref.key_id for secret in ("old", "new"))
    assert before != after


def test_a_key_that_no_header_carries_is_a_wrong_setting() -> None:
    for secret in ("two words", "ключ"):
        with pytest.raises(WrongSetting, match=r"^KIE_API_KEY_2: .*, for example KIE_API_KEY_2=") as raised:
            load_kie_keys({"KIE_API_KEY_2": secret})
        assert secret not in str(raised.value)


@pytest.mark.parametrize("text", ["abc", "-1", "65536", "1e3", "80 "])
def test_a_port_is_a_number_that_fits(text: str) -> None:
    with pytest.raises(WrongSetting, match=r"^CHAT_PORT: .* for example CHAT_PORT=8090$"):
        port_in({"CHAT_PORT": text}, "CHAT_PORT", 8090)


def test_a_port_has_its_default_and_0_is_one() -> None:
    assert port_in({}, "CHAT_PORT", 8090) == 8090
    assert port_in({"CHAT_PORT": "0"}, "CHAT_PORT", 8090) == 0


def test_admins_and_models_are_lists() -> None:
    settings = load_settings({"ADMIN_TG_IDS": "1, 2 ,", "VIDEO_MODELS": " kling-2.6/image-to-video ,"})
    assert settings.admins == (1, 2)
    assert settings.preferred_models == ("kling-2.6/image-to-video",)


PAYLOAD_KEY = "S" * 43 + "="


@pytest.mark.parametrize(
    "value",
    [
        PAYLOAD_KEY[:32],
        f"k1:{PAYLOAD_KEY[:40]}",
        f"k1:{PAYLOAD_KEY},k1:{PAYLOAD_KEY}",
        f"k1:{PAYLOAD_KEY},plain",
        f"plain:{PAYLOAD_KEY}",
        f"k1:{PAYLOAD_KEY},",
        f":{PAYLOAD_KEY}",
        f"k 1:{PAYLOAD_KEY}",
    ],
)
def test_a_wrong_payload_key_is_told_without_showing_it(value: str) -> None:
    with pytest.raises(WrongSetting) as raised:
        load_settings({"TEMPORAL_PAYLOAD_KEY": value})
    assert "SSSS" not in str(raised.value)


def test_what_is_secret_by_itself_is_hidden_by_itself() -> None:
    settings = load_settings(
        {
            "DATABASE_URL": "postgresql://bot:pass%2Fword@localhost/neurocards",
            "TEMPORAL_PAYLOAD_KEY": f"plain, k1:{PAYLOAD_KEY}",
            "BOT_TOKEN": "123456:AAF-secret-half",
        }
    )
    hidden = {secret.get_secret_value() for secret in settings.secrets}
    assert {"pass%2Fword", "pass/word", PAYLOAD_KEY, "AAF-secret-half", "123456:AAF-secret-half"} <= hidden
