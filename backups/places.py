"""Where the settings say that backups are taken and kept."""

from pathlib import Path
from typing import Final

from backups.keeper import BackupPlaces
from backups.programs import ProgramsMissing, bin_dir
from clients.backups import BackupStorage, BackupsUnavailable
from domain.addresses import parameters_of, parts_of
from settings import Settings

_CLIENT_KEY_PARAMETER: Final = "sslpassword"
_CLIENT_KEY_REFUSED: Final = (
    "the login of the backup has sslpassword, which everybody would see in the list of processes:"
    " use a client key without one, that only this user can read"
)


class CannotKeep(Exception):
    """One sentence: what is missing or cannot be written."""


def open_places(settings: Settings) -> BackupPlaces:
    """Raise CannotKeep."""
    folder = Path(settings.backup_folder).absolute()
    try:
        bin_dir()
        folder.mkdir(parents=True, exist_ok=True)
        storage = BackupStorage(settings.backup_url)
    except (ProgramsMissing, BackupsUnavailable) as missing:
        raise CannotKeep(str(missing)) from None
    except OSError as error:
        raise CannotKeep(f"BACKUP_FOLDER: {folder} cannot be written: {error.strerror}") from None
    logins = (settings.backup_database_url, settings.database_owner_url, settings.database_url)
    server_url = next(login for login in logins if login).get_secret_value()
    if _CLIENT_KEY_PARAMETER in dict(parameters_of(parts_of(server_url))):
        raise CannotKeep(_CLIENT_KEY_REFUSED)
    return BackupPlaces(storage, server_url, settings.database_url.get_secret_value(), folder)
