"""The server for e-mail, as Mimir's Alertmanager and Grafana are told of it."""

from __future__ import annotations

from components.sections.alerting import SmtpSection
from components.values.secret_text import ExistingSecret, SecretText

PASSWORD = "secrets/smtp-password"  # noqa: S105 - a path
PASSWORD_KEY = "password"  # noqa: S105 - a key


def mail_files(smtp: SmtpSection) -> dict[str, SecretText]:
    """Return the file with the password, if there is a login."""
    if smtp.password_secret is None:
        return {}
    return {PASSWORD: ExistingSecret(name=smtp.password_secret, key=PASSWORD_KEY)}


def alertmanager_mail(smtp: SmtpSection, directory: str) -> dict[str, str | bool]:
    """Return the global settings of Alertmanager's configuration file."""
    found: dict[str, str | bool] = {
        "smtp_smarthost": _address(smtp),
        "smtp_from": smtp.from_address,
        "smtp_require_tls": smtp.tls,
    }
    if smtp.username is not None:
        found |= {
            "smtp_auth_username": smtp.username,
            "smtp_auth_password_file": f"{directory}/{PASSWORD}",
        }
    return found


def grafana_mail(smtp: SmtpSection) -> dict[str, str]:
    """Return Grafana's variables, without the password, which its settings file refers to."""
    found = {
        "GF_SMTP_ENABLED": "true",
        "GF_SMTP_HOST": _address(smtp),
        "GF_SMTP_FROM_ADDRESS": smtp.from_address,
        "GF_SMTP_STARTTLS_POLICY": "MandatoryStartTLS" if smtp.tls else "NoStartTLS",
    }
    return found if smtp.username is None else {**found, "GF_SMTP_USER": smtp.username}


def _address(smtp: SmtpSection) -> str:
    return f"{smtp.host}:{smtp.port}"
