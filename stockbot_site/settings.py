"""Every setting of the site. An empty environment works on 127.0.0.1; `.env.example` lists what can be set.

`STOCKBOT_PRODUCTION=1` is the one switch for a server that others reach: HTTPS cookies, HSTS, keys of its own.
"""

import os
import secrets
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent


def env_text(name: str, default: str = "") -> str:
    return os.environ.get(name, "").strip() or default


def env_bool(name: str, default: bool) -> bool:
    text = env_text(name, "1" if default else "0").lower()
    if text not in {"1", "0", "true", "false", "yes", "no", "on", "off"}:
        raise ImproperlyConfigured(f"{name} is {text!r}; write 1 or 0.")
    return text in {"1", "true", "yes", "on"}


def env_int(name: str, default: int, *, least: int, most: int) -> int:
    text = env_text(name, str(default))
    if not (text.isascii() and text.isdigit() and least <= int(text) <= most):
        raise ImproperlyConfigured(f"{name} is {text!r}; write a whole number from {least} to {most}.")
    return int(text)


def env_list(name: str, default: str) -> list[str]:
    return [word.strip() for word in env_text(name, default).split(",") if word.strip()]


def env_path(name: str, default: Path) -> Path:
    return (BASE_DIR / env_text(name, str(default))).resolve()


def env_secret(name: str, filename: str) -> str:
    """A key from the environment; outside production one is made once and kept in a file that only its owner reads."""
    if text := env_text(name):
        if len(text) < 50:
            raise ImproperlyConfigured(f"{name} must have at least 50 characters.")
        return text
    if PRODUCTION:
        raise ImproperlyConfigured(f"{name} must be set in production (50 characters or more, random).")
    path = BASE_DIR / filename
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
            stream.write(secrets.token_urlsafe(64))
    except FileExistsError:
        pass  # made by an earlier start
    return path.read_text().strip()


PRODUCTION = env_bool("STOCKBOT_PRODUCTION", False)
DEBUG = env_bool("STOCKBOT_DEBUG", False)
if DEBUG and PRODUCTION:
    raise ImproperlyConfigured("STOCKBOT_DEBUG and STOCKBOT_PRODUCTION exclude each other; unset one.")
TESTING = "pytest" in sys.modules
FILES_FOLDER = env_text("STOCKBOT_FILES")  # where fetches find the source `files`: a folder of the operator's
YAHOO_URL = env_text("STOCKBOT_YAHOO_URL")  # where fetches ask in Yahoo's place: a proxy of the operator's, or a test

SECRET_KEY = env_secret("STOCKBOT_SECRET_KEY", ".secret-key")
JWT_KEY = env_secret("STOCKBOT_JWT_KEY", ".secret-jwt")
ALLOWED_HOSTS = env_list("STOCKBOT_HOSTS", "127.0.0.1,localhost,[::1]")
CSRF_TRUSTED_ORIGINS = env_list("STOCKBOT_TRUSTED_ORIGINS", "")
SIGNUP_ENABLED = env_bool("STOCKBOT_SIGNUP", True)
DEMO_PASSWORD_FILE = BASE_DIR / ".demo-password"

# --- applications and request path ---

INSTALLED_APPS = [
    "stockbot_site.admin_site.Admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "channels",
    "csp",
    "django_htmx",
    "stockbot_site",
    "accounts",
    "runs_app",
    "brokers",
]

MIDDLEWARE = [
    "stockbot_site.middleware.refuse_control_bytes",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",  # a page is closed unless it says login_not_required
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "stockbot_site.urls"
ASGI_APPLICATION = "stockbot_site.asgi.application"
APPEND_SLASH = False  # the paths are those of the API's description, without a slash at the end

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# --- database ---

if env_text("DATABASE_URL"):
    raise ImproperlyConfigured("DATABASE_URL is set, but PostgreSQL is not in this version; unset it to use SQLite.")

# IMMEDIATE: a transaction that reads first and writes later takes the write lock at its start and waits for it,
# instead of failing at once when another writer was quicker. FULL: a commit that returned survives a power cut.
DATABASES: dict[str, dict[str, Any]] = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": env_path("STOCKBOT_DB", BASE_DIR / "db.sqlite3"),
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;",
        },
    },
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- media: run directories and what lies beside them ---

MEDIA_ROOT = env_path("STOCKBOT_MEDIA", BASE_DIR / "media")
RUNS_ROOT = MEDIA_ROOT / "runs"
CONTROL_ROOT = MEDIA_ROOT / "control"
DATASETS_ROOT = MEDIA_ROOT / "datasets"
POLICIES_ROOT = MEDIA_ROOT / "policies"
TMP_ROOT = MEDIA_ROOT / "tmp"  # what is under way: bodies, uploads that wait for their commit; swept at start

# --- runs: how many jobs work at once, in all and of one person ---

RUN_SLOTS = env_int("STOCKBOT_RUN_SLOTS", max(1, (os.cpu_count() or 1) - 1), least=1, most=256)
RUN_SLOTS_PER_USER = env_int("STOCKBOT_RUN_SLOTS_PER_USER", RUN_SLOTS, least=1, most=256)

# --- datasets: what one person may keep in the store ---

DATASETS_PER_USER = env_int("STOCKBOT_DATASETS_PER_USER", 200, least=1, most=100_000)
DATASET_BYTES_PER_USER = env_int("STOCKBOT_DATASET_MIB_PER_USER", 2048, least=1, most=1024**2) * 1024**2

# --- people ---

AUTH_USER_MODEL = "accounts.User"
LOGIN_URL = "accounts:login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "accounts:login"
_VALIDATION = "django.contrib.auth.password_validation"
AUTH_PASSWORD_VALIDATORS: list[dict[str, Any]] = [
    {"NAME": f"{_VALIDATION}.UserAttributeSimilarityValidator"},
    {"NAME": f"{_VALIDATION}.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": f"{_VALIDATION}.CommonPasswordValidator"},
    {"NAME": f"{_VALIDATION}.NumericPasswordValidator"},
]

SESSION_COOKIE_NAME = "__Host-session" if PRODUCTION else "stockbot-session"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = PRODUCTION
CSRF_COOKIE_NAME = "__Host-csrf" if PRODUCTION else "stockbot-csrf"
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SECURE = PRODUCTION

SIMPLE_JWT = {
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=10),
    "REFRESH_TOKEN_LIFETIME": timedelta(days=7),
    "ALGORITHM": "HS256",
    "SIGNING_KEY": JWT_KEY,
    "ISSUER": "stockbot",
    "AUDIENCE": "stockbot-api",
    "CHECK_REVOKE_TOKEN": True,  # a changed password ends every token
    "UPDATE_LAST_LOGIN": False,
}

# --- transport and content ---

SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_SSL_REDIRECT = PRODUCTION
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if PRODUCTION else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = PRODUCTION
SECURE_HSTS_PRELOAD = PRODUCTION
X_FRAME_OPTIONS = "DENY"
PORT = env_int("PORT", 8000, least=1, most=65535)
SSL_KEY, SSL_CERT, SSL_CA = env_text("SSL_KEY"), env_text("SSL_CERT"), env_text("SSL_CA")

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],  # Bootstrap's icons are data: SVGs in its style sheet
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "object-src": [NONE],
    },
}

BODY_LIMIT = 2 * 1024 * 1024  # bytes of a request; the server answers 413 before it reads more
DATA_UPLOAD_MAX_MEMORY_SIZE = BODY_LIMIT
UPLOAD_LIMIT = 65 * 1024 * 1024  # bytes of a body that holds files; the files themselves may have a little less
DATA_UPLOAD_MAX_NUMBER_FILES = 200
DATA_UPLOAD_MAX_NUMBER_FIELDS = 1000
FILE_UPLOAD_HANDLERS = ["runs_app.upload_handler.DiskUploadHandler"]

# --- counters of the rate limits ---

# django-ratelimit's checks ask for a cache that several processes share (E003, W001). This is one process, and the
# in-memory cache counts under a lock, so nothing is miscounted; a restart forgets at most one minute of tries.
CACHES: dict[str, dict[str, Any]] = {
    "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "default"},
    "ratelimit": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "LOCATION": "ratelimit",
        "OPTIONS": {"MAX_ENTRIES": 100_000},  # the default of 300 would let a flood push the counters out
    },
}
RATELIMIT_USE_CACHE = "ratelimit"
SILENCED_SYSTEM_CHECKS = ["django_ratelimit.E003", "django_ratelimit.W001"]
LOGIN_RATE = "10/m"

# --- API ---

REST_FRAMEWORK = {
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.tokens.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PARSER_CLASSES": ["runs_app.api.parser.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": [
        "rest_framework.renderers.JSONRenderer",
        "runs_app.api.renderers.BrowsableRenderer",
    ],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "runs_app.api.errors.exception_handler",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}

SPECTACULAR_SETTINGS = {
    "TITLE": "StockBot",
    "DESCRIPTION": "Train, judge and keep portfolio policies. Errors have one shape: detail, and sentences by field.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",  # pydantic writes JSON Schema 2020-12, which 3.0 does not know
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.IsAuthenticated"],
    "POSTPROCESSING_HOOKS": [],  # choices stay where they are used; the models give several fields one name
}

# --- static files ---

STATIC_URL = "/static/"
# Production serves hashed, compressed names out of `collectstatic`; elsewhere files are served from where they lie.
STATIC_ROOT = BASE_DIR / "staticfiles" if PRODUCTION else None
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = not PRODUCTION
_STATIC = "whitenoise.storage.CompressedManifestStaticFilesStorage"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": _STATIC if PRODUCTION else "django.contrib.staticfiles.storage.StaticFilesStorage"},
}

# --- words and time ---

LANGUAGE_CODE = "en-gb"
USE_I18N = False
TIME_ZONE = "UTC"
USE_TZ = True

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env_text("STOCKBOT_LOG_LEVEL", "WARNING")},
}
