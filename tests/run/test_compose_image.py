"""The image, without Docker: files that would be in it, and whether our programs start with only these."""

import ast
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path, PurePosixPath

import pytest

from tests.run.compose_file import OURS, ROOT, command_of
from tests.run.image_files import image_files, is_kept, rules
from tests.run.programs import surroundings

FILES = frozenset(image_files())
MODULES = {path for path in FILES if path.suffix == ".py"}
ONLY_LOCAL = {"local", "standins", "tests", "benchmarks", "docs", "secrets"}
PATIENCE_SECONDS = 150  # of a machine that is shared
WITHOUT_OPTIONS = {"bot_main.py": "BOT_TOKEN", "backup_main.py": "BACKUP_URL"}
DRAWN_BY_HAND = PurePosixPath("texts/examples/draw.py")  # needs a browser
LATE_AND_LOCAL = {("replay_main.py", "local")}  # starts a server of its own where there is none
DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text()
EACH_WITH_HELP = """
import json, runpy, sys
program = sys.argv[1]
for arguments in json.loads(sys.argv[2]):
    sys.argv = [program, *arguments, "--help"]
    try:
        runpy.run_path(program, run_name="__main__")
    except SystemExit as end:
        print("ended", end.code or 0)
"""  # in one process: what they import takes seconds
COMMANDS = sorted({tuple(command_of(name)) for name in OURS})


def imported(path: PurePosixPath) -> Iterator[str]:
    """Every module that it names, also those that it imports late."""
    for node in ast.walk(ast.parse((ROOT / path).read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def is_in_image(module: str) -> bool:
    path = PurePosixPath(module.replace(".", "/"))
    return bool({path.with_suffix(".py"), path / "__init__.py"} & MODULES)


def is_ours(module: str) -> bool:
    top = module.partition(".")[0]
    return (ROOT / top).is_dir() or (ROOT / f"{top}.py").is_file()


@pytest.mark.unit
def test_every_module_that_is_imported_is_in_the_image() -> None:
    missing = {
        (str(path), module.partition(".")[0])
        for path in MODULES
        for module in imported(path)
        if is_ours(module) and not is_in_image(module)
    }
    assert missing == LATE_AND_LOCAL


@pytest.mark.unit
def test_every_package_that_is_imported_is_in_the_lock_file() -> None:
    locked = set(re.findall(r"^([a-z0-9.-]+)==", (ROOT / "requirements.txt").read_text(), flags=re.MULTILINE))
    tops = {module.partition(".")[0] for path in MODULES for module in imported(path) if not is_ours(module)}
    distributions = packages_distributions()
    foreign = {top: distributions.get(top, [top]) for top in tops - set(sys.stdlib_module_names)}
    names = {top: {re.sub(r"[_.]", "-", each.lower()) for each in of} for top, of in foreign.items()}
    assert not {top for top, of in names.items() if not of & locked}


@pytest.mark.unit
def test_everything_of_a_room_is_in_the_image_and_nothing_else() -> None:
    """Its SQL, prompts, texts and pictures, too."""
    rooms = {path.parts[0] for path in FILES if len(path.parts) > 1} - {"deploy"}
    assert rooms == {path.parent.name for path in ROOT.glob("*/__init__.py")} - ONLY_LOCAL
    tracked = subprocess.run(  # noqa: S603 - our own files
        ["git", "ls-files", *rooms],  # noqa: S607 - as everybody's
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split("\n")
    assert {PurePosixPath(each) for each in tracked if each and (ROOT / each).exists()} - FILES == {
        DRAWN_BY_HAND
    }
    assert not [path for path in FILES if path.suffix == ".pyc" or path.name.startswith(".env")]
    assert {str(path) for path in FILES if path.parts[0] == "deploy"} == {
        "deploy/entrypoint.sh",
        "deploy/probe.py",
    }


@pytest.mark.unit
@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("bot/parts.py", True),
        ("bot/__pycache__/parts.pyc", False),
        (".env", False),
        ("secrets/bot_token", False),
        ("tests/bot/chat.py", False),
        ("local_main.py", False),
        ("deploy/make_secrets.sh", False),
    ],
)
def test_the_last_rule_decides(path: str, kept: bool) -> None:  # noqa: FBT001 - a row of a table
    assert is_kept(PurePosixPath(path), rules((ROOT / ".dockerignore").read_text())) == kept


@pytest.mark.unit
def test_the_image_is_of_stages_without_root() -> None:
    stages = re.split(r"^FROM ", DOCKERFILE, flags=re.MULTILINE)[1:]
    assert all(re.match(r"[a-z]+:\d+\.\d+[\w.-]* AS \w+", stage) for stage in stages), "a version that stays"
    for stage in stages[1:]:
        lines = stage.splitlines()
        user = lines.index(next(line for line in lines if line.startswith("USER ")))
        assert "COPY . ." in lines
        assert not any(line.startswith(("RUN", "USER", "COPY")) for line in lines[user + 1 :])
        assert 'ENTRYPOINT ["/app/deploy/entrypoint.sh"]' in lines
    assert DOCKERFILE.count("--require-hashes -r /requirements.txt") == len(stages) - 1


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("image")
    for path in FILES:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, folder / path)
    return folder


def ended(image: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own programs
        words,
        cwd=image,
        env=surroundings({"PYTHONDONTWRITEBYTECODE": "1"}),
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )


@pytest.mark.parametrize("program", sorted({command[1] for command in COMMANDS}))
def test_each_command_starts_with_what_is_in_the_image(image: Path, program: str) -> None:
    """With --help. Who knows no options says what it lacks, with everything imported by then."""
    commands = [list(command[2:]) for command in COMMANDS if command[1] == program]
    told = ended(image, sys.executable, "-c", EACH_WITH_HELP, program, json.dumps(commands))
    ends = re.findall(r"^ended (\d+)$", told.stdout, flags=re.MULTILINE)
    if program in WITHOUT_OPTIONS:
        assert (ends, told.stderr.partition(":")[0]) == (["2"], WITHOUT_OPTIONS[program])
    else:
        assert ends == ["0"] * len(commands), told.stderr or told.stdout
        assert told.stdout.count("Usage") == len(commands)


def test_a_role_that_does_not_exist_is_a_sentence(image: Path) -> None:
    told = ended(image, sys.executable, "worker_main.py", "--role", "cooking")
    assert told.returncode == 2
    assert "cooking" in told.stderr
    assert "Traceback" not in told.stderr


def test_the_entry_point_hands_s3_its_keys_and_the_place_to_the_program(image: Path, tmp_path: Path) -> None:
    (tmp_path / "id").write_text("an id")
    (tmp_path / "secret").write_text("a secret")
    (tmp_path / "empty").write_text("")
    show = "import os; print(os.getpid(), os.environ.get('AWS_ACCESS_KEY_ID'))"

    def shown(file: str) -> str:
        told = subprocess.run(  # noqa: S603 - our own script
            ["sh", "deploy/entrypoint.sh", sys.executable, "-c", show],  # noqa: S607 - as everybody's
            cwd=image,
            env=surroundings(
                {
                    "AWS_ACCESS_KEY_ID_FILE": str(tmp_path / file),
                    "AWS_SECRET_ACCESS_KEY_FILE": str(tmp_path / "secret"),
                }
            ),
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=True,
        )
        return told.stdout.partition(" ")[2].strip()

    assert shown("id") == "an id"
    assert shown("empty") == "None"
    assert shown("missing") == "None"
