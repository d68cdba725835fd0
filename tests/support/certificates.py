"""An authority of a test's own, and certificates that it signs."""

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

_CA = """[ca]
default_ca = own
[own]
database = {folder}/index.txt
new_certs_dir = {folder}
rand_serial = yes
default_md = sha256
unique_subject = no
policy = any
[any]
commonName = supplied
"""


class Authority:
    """Signs certificates with openssl, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._folder = folder
        self.certificate = folder / "ca.crt"
        _openssl(f"req -x509 {_KEY} -days 30 -subj /CN=authority -keyout ca.key -out ca.crt", folder)
        (folder / "index.txt").touch()
        (folder / "ca.cnf").write_text(_CA.format(folder=folder))

    def issue(self, *, names: str = "IP:127.0.0.1", first_day: int = -2, last_day: int = 90) -> tuple[Path, Path]:
        """Return certificate and key, valid for these days from now, for these alternative names."""
        (self._folder / "names.ext").write_text(f"subjectAltName={names}\n")
        _openssl(f"req {_KEY} -subj /CN=broker -keyout broker.key -out broker.csr", self._folder)
        when = f"-startdate {_day(first_day)} -enddate {_day(last_day)} -extfile names.ext"
        signer = "-cert ca.crt -keyfile ca.key -config ca.cnf -batch -notext"
        _openssl(f"ca {signer} {when} -in broker.csr -out broker.crt", self._folder)
        return self._folder / "broker.crt", self._folder / "broker.key"


_KEY = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"


def _day(number: int) -> str:
    return (datetime.now(UTC) + timedelta(days=number)).strftime("%Y%m%d%H%M%SZ")


def _openssl(arguments: str, folder: Path) -> None:
    done = subprocess.run(["openssl", *arguments.split()], cwd=folder, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
