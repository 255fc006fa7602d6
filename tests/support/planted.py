"""Secrets to plant in tests, of at least 60 types, made from pieces by chance: no literal token stands in this tree."""

from __future__ import annotations

import base64
import random
from collections.abc import Callable, Iterator

from support.declared import declared
from support.planting import ALNUM, BASE32, BASE64, DIGITS, HEX, LOWER, UPPER, URLSAFE, Planted


def planted(seed: int = 0) -> list[Planted]:
    """One of each type; another seed gives other secrets."""
    chance = random.Random(seed)

    def some(alphabet: str, length: int) -> str:
        """Random characters, with a digit among them."""
        while True:
            value = "".join(chance.choices(alphabet, k=length))
            if any(map(str.isdigit, value)) and (alphabet == DIGITS or any(map(str.isalpha, value))):
                return value

    return [*_tokens(some), *_contexts(some), *_named(some), *declared(some)]


def _tokens(some: Callable[[str, int], str]) -> Iterator[Planted]:
    """Tokens whose form identifies the issuer, as string constants under a name that says nothing."""

    def uuid() -> str:
        return "-".join(some(HEX, n) for n in (8, 4, 4, 4, 12))

    forms = {
        ("gitlab-personal", "gitlab-token"): "gl" + "pat-" + some(URLSAFE, 20),
        ("gitlab-routable", "gitlab-token"): "gl" + "pat-" + some(URLSAFE, 40) + ".01." + some(LOWER, 9),
        ("gitlab-deploy", "gitlab-token"): "gl" + "dt-" + some(URLSAFE, 20),
        ("gitlab-runner", "gitlab-token"): "gl" + "rt-" + some(URLSAFE, 20),
        ("gitlab-job", "gitlab-token"): "gl" + "cbt-64_" + some(URLSAFE, 20),
        ("gitlab-trigger", "gitlab-token"): "gl" + "ptt-" + some(HEX, 40),
        ("gitlab-scim", "gitlab-token"): "gl" + "soat-" + some(URLSAFE, 20),
        ("gitlab-agent", "gitlab-token"): "gl" + "agent-" + some(URLSAFE, 50),
        ("gitlab-oauth", "gitlab-token"): "gl" + "oas-" + some(HEX, 64),
        ("gitlab-feed", "gitlab-token"): "gl" + "ft-" + some(URLSAFE, 20),
        ("gitlab-feature-flag", "gitlab-token"): "gl" + "ffct-" + some(URLSAFE, 20),
        ("gitlab-mail", "gitlab-token"): "gl" + "imt-" + some(LOWER, 25),
        ("gitlab-workspace", "gitlab-token"): "gl" + "wt-" + some(URLSAFE, 20),
        ("gitlab-registration", "gitlab-runner-registration-token"): "GR" + "1348941" + some(URLSAFE, 20),
        ("github-personal", "github-token"): "gh" + "p_" + some(ALNUM, 36),
        ("github-server", "github-token"): "gh" + "s_" + some(ALNUM, 36),
        ("github-fine-grained", "github-fine-grained-token"): "github"
        + "_pat_"
        + some(ALNUM, 22)
        + "_"
        + some(ALNUM, 59),
        ("aws-access-key", "aws-access-key"): "AK" + "IA" + some(BASE32, 16),
        ("google-api-key", "google-api-key"): "AI" + "za" + some(URLSAFE, 35),
        ("google-oauth-secret", "google-oauth-secret"): "GOC" + "SPX-" + some(URLSAFE, 28),
        ("slack-bot", "slack-token"): "xo" + "xb-" + some(DIGITS, 12) + "-" + some(DIGITS, 12) + "-" + some(ALNUM, 24),
        ("slack-app", "slack-app-token"): "xa"
        + "pp-1-A"
        + some(UPPER, 10)
        + "-"
        + "7301952846103"
        + "-"
        + some(HEX, 64),
        ("slack-webhook", "slack-webhook"): "services"
        + "/T"
        + some(UPPER, 9)
        + "/B"
        + some(UPPER, 9)
        + "/"
        + some(ALNUM, 24),
        ("discord-webhook", "discord-webhook"): "web" + "hooks/" + "839104726153948271" + "/" + some(URLSAFE, 68),
        ("stripe-live", "stripe-key"): "sk" + "_live_" + some(ALNUM, 24),
        ("stripe-restricted", "stripe-key"): "rk" + "_live_" + some(ALNUM, 40),
        ("stripe-webhook", "stripe-webhook-secret"): "wh" + "sec_" + some(ALNUM, 32),
        ("twilio", "twilio-key"): "S" + "K" + some(HEX, 32),
        ("sendgrid", "sendgrid-key"): "S" + "G." + some(URLSAFE, 22) + "." + some(URLSAFE, 43),
        ("npm", "npm-token"): "np" + "m_" + some(ALNUM, 36),
        ("pypi", "pypi-token"): "py" + "pi-AgEIcHlwaS5vcmc" + some(URLSAFE, 120),
        ("rubygems", "rubygems-token"): "ruby" + "gems_" + some(HEX, 48),
        ("docker-hub", "docker-token"): "dckr" + "_pat_" + some(URLSAFE, 27),
        ("vault-service", "vault-token"): "hv" + "s." + some(URLSAFE, 95),
        ("terraform-cloud", "terraform-token"): some(ALNUM, 14) + ".atlas" + "v1." + some(ALNUM, 67),
        ("databricks", "databricks-token"): "da" + "pi" + some(HEX, 32),
        ("hugging-face", "huggingface-token"): "h" + "f_" + some(ALNUM, 34),
        ("openai", "openai-key"): "s" + "k-proj-" + some(URLSAFE, 74) + "T3Blbk" + "FJ" + some(URLSAFE, 74),
        ("openai-old", "openai-key"): "s" + "k-" + some(ALNUM, 20) + "T3Blbk" + "FJ" + some(ALNUM, 20),
        ("anthropic", "anthropic-key"): "s" + "k-ant-api03-" + some(URLSAFE, 93) + "AA",
        ("telegram", "telegram-token"): "739104826" + ":A" + "A" + some(URLSAFE, 33),
        ("discord-bot", "discord-token"): "M" + some(ALNUM, 25) + "." + some(ALNUM, 6) + "." + some(ALNUM, 38),
        ("shopify", "shopify-token"): "shp" + "at_" + some(HEX, 32),
        ("square", "square-token"): "sq0" + "atp-" + some(URLSAFE, 22),
        ("digitalocean", "digitalocean-token"): "do" + "p_v1_" + some(HEX, 64),
        ("heroku", "heroku-key"): "HR" + "KU-AA" + some(URLSAFE, 58),
        ("new-relic", "new-relic-key"): "NR" + "AK-" + some(UPPER, 27),
        ("sentry-user", "sentry-token"): "snt" + "ryu_" + some(HEX, 64),
        ("mailgun", "mailgun-key"): "ke" + "y-" + some(HEX, 32),
        ("mailchimp", "mailchimp-key"): some(HEX, 32) + "-u" + "s14",
        ("atlassian", "atlassian-token"): "AT" + "ATT3" + some(URLSAFE, 186),
        ("linear", "linear-key"): "lin" + "_api_" + some(ALNUM, 40),
        ("notion", "notion-token"): "nt" + "n_" + some(ALNUM, 46),
        ("postman", "postman-key"): "PM" + "AK-" + some(HEX, 24) + "-" + some(HEX, 34),
        ("grafana", "grafana-token"): "gl" + "sa_" + some(ALNUM, 32) + "_" + some(HEX, 8),
        ("age", "age-key"): "AGE-SECRET" + "-KEY-1" + some("QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L", 58),
        ("planetscale", "planetscale-token"): "psc" + "ale_tkn_" + some(URLSAFE, 43),
        ("sonar", "sonar-token"): "sq" + "p_" + some(HEX, 40),
        ("launchdarkly", "launchdarkly-key"): "sd" + "k-" + uuid(),
        ("dynatrace", "dynatrace-token"): "dt0" + "c01." + some(UPPER, 24) + "." + some(UPPER, 64),
        ("figma", "figma-token"): "fi" + "gd_" + some(URLSAFE, 40),
        ("tailscale", "tailscale-key"): "ts" + "key-auth-" + some(ALNUM, 12) + "-" + some(ALNUM, 32),
        ("jwt", "jwt"): ".".join(_encoded(part) for part in ('{"alg":"HS256","typ":"JWT"}', '{"sub":"4711","n":"Jo"}'))
        + "."
        + some(URLSAFE, 43),
        ("bcrypt-hash", "password-hash"): "$2" + "y$10$" + some(ALNUM + "./", 53),
        ("apache-hash", "password-hash"): "$ap" + "r1$" + some(ALNUM, 8) + "$" + some(ALNUM, 22),
        ("sha512-hash", "password-hash"): "$6" + "$" + some(ALNUM, 16) + "$" + some(ALNUM, 86),
    }
    for (kind, rule), token in forms.items():
        yield Planted(kind, rule, f'handle = "{token}"', token)


def _contexts(some: Callable[[str, int], str]) -> Iterator[Planted]:
    """Secrets that their surroundings give away."""
    password = some(ALNUM, 12)
    for scheme in ("postgres", "mongodb+srv", "amqp", "https"):
        yield Planted(f"{scheme}-url", "url-password", f'URL = "{scheme}://svc:{password}@db.internal:1/x"', password)
    for name, sign in (
        ("at", "@"),
        ("slash", "/"),
        ("slash-and-at", "/k9@"),
        ("at-and-slash", "@k9/"),
        ("ats", "@k@9@"),
    ):
        odd = some(ALNUM, 4) + "Q" + sign + some(ALNUM, 6)
        yield Planted(f"url-with-{name}", "url-password", f'URL = "postgres://bill:{odd}@db.internal:5432/x"', odd)
    dsn = some(HEX, 32)
    yield Planted("sentry-dsn", "url-password", f'sentry.init("https://{dsn}@o1.ingest.sentry.io/2")', dsn)
    basic = base64.b64encode(f"svc:{some(ALNUM, 14)}".encode()).decode()
    yield Planted("basic-auth", "basic-auth", f'headers["Authorization"] = "Basic {basic}"', basic)
    bearer = some(ALNUM, 40)
    yield Planted("bearer", "bearer-token", f'curl(f"Authorization: Bearer {bearer}")', bearer)
    yield Planted("curl-user", "curl-user", f"curl -s -u deploy:{password} https://ci.internal/", password, "", "Shell")
    yield Planted("netrc", "netrc", f"machine ci.internal login bot password {password}", password, "", "Text")
    yield Planted("pgpass", "pgpass", f"db.internal:5432:app:svc:{password}", password, "", "Text")
    yield Planted("mysql-argument", "password-argument", f"mysql -u root -p{password} app", password, "", "Shell")
    yield Planted("sshpass", "password-argument", f"sshpass -p {password} ssh host", password, "", "Shell")
    yield Planted(
        "jdbc", "password", f'String u = "jdbc:mysql://h/db?user=a&password={password}&x=1";', password, "", "Java"
    )
    yield Planted("odbc", "password", f'conn = "Driver=x;Server=y;Uid=sa;Pwd={password};"', password)
    storage = some(BASE64, 86) + "=="
    yield Planted("azure-storage", "azure-key", f'c = "AccountName=a;AccountKey={storage};Endpoint=b"', storage)
    azure = some(ALNUM, 3) + "8Q" + "~" + some(URLSAFE, 34)
    yield Planted("azure-client", "azure-client-secret", f'handle = "{azure}"', azure)
    xml = f"<server><password>{password}</password></server>"
    yield Planted("maven-settings", "password", xml, password, "", "XML")
    for name, words in (("rsa", "RSA "), ("openssh", "OPENSSH "), ("pkcs8", ""), ("ec", "EC ")):
        body = "\n".join(some(BASE64, 64) for _ in range(4))
        block = f"-----BEGIN {words}PRIVATE " + f"KEY-----\n{body}\n-----END {words}PRIVATE " + "KEY-----"
        yield Planted(f"{name}-private-key", "private-key", f'KEY = """{block}"""', body, block)
    body = "\n".join(some(BASE64, 64) for _ in range(4))
    block = "-----BEGIN PGP PRIVATE " + f"KEY BLOCK-----\n\n{body}\n=aB3d\n-----END PGP PRIVATE " + "KEY BLOCK-----"
    yield Planted("pgp-private-key", "private-key", f'KEY = """{block}"""', body, block)
    body = some(BASE64, 200)
    block = "-----BEGIN PRIVATE " + f"KEY-----\\n{body}\\n-----END PRIVATE " + "KEY-----"
    account = f'{{"type": "service_account", "private_key": "{block}\\n"}}'
    yield Planted("gcp-service-account", "private-key", account, body, block, "JSON")


def _named(some: Callable[[str, int], str]) -> Iterator[Planted]:
    """Values that only the name beside them gives away."""
    password = some(ALNUM, 9) + "!" + some(ALNUM, 3)
    weak = "sunny" + some("0123456789abc", 3) + "7"
    yield Planted("python-password", "password", f'DB_PASSWORD = "{password}"', password)
    yield Planted("typed-password", "password", f'    password: str = "{password}"', password)
    yield Planted("weak-password", "password", f'connect(user="svc", password="{weak}")', weak)
    yield Planted(
        "java-password", "password", f'private static final String PASSWORD = "{password}";', password, "", "Java"
    )
    yield Planted("json-password", "password", f'  "db_password": "{password}",', password, "", "JSON")
    yield Planted("default-of-variable", "password", f'os.getenv("DB_PASSWORD", "{password}")', password)
    yield Planted("php-password", "password", f"define('DB_PASSWORD', '{password}');", password, "", "PHP")
    yield Planted("ruby-hash", "password", f"config = {{ :password => '{password}' }}", password, "", "Ruby")
    yield Planted("setter", "password", f'client.setPassword("{password}");', password, "", "Java")
    yield Planted("yaml-password", "password", f"  password: {weak}", weak, "", "YAML")
    yield Planted("yaml-password-comment", "password", f"db_password: {password} # main", password, "", "YAML")
    yield Planted("properties-password", "password", f"spring.datasource.password={weak}", weak, "", "INI")
    yield Planted("ini-password", "password", f"password = {weak}", weak, "", "INI")
    yield Planted("env-password", "password", f"export DB_PASSWORD={password}", password, "", "Shell")
    yield Planted("dockerfile-password", "password", f"ENV DB_PASSWORD={weak}", weak, "", "Dockerfile")
    yield Planted("toml-password", "password", f'password = "{weak}"', weak, "", "TOML")
    yield from _elsewhere(some(ALNUM, 12), some)
    key = some(HEX, 64)
    yield Planted("hex-key-64", "hex-key", f'ENCRYPTION_KEY = "{key}"', key)
    yield Planted("hex-key-64-yaml", "hex-key", f"signing_key: {key}", key, "", "YAML")
    key = some(HEX, 32)
    yield Planted("datadog", "hex-key", f"DD_API_KEY={key}", key, "", "Shell")
    aws = some(BASE64, 40)
    yield Planted("aws-secret-key", "generic-key", f'aws_secret_access_key = "{aws}"', aws)
    token = some(ALNUM, 40)
    yield Planted("generic-token", "generic-key", f'const apiToken = "{token}";', token, "", "JavaScript")
    yield Planted("properties-token", "generic-key", f"service.auth-token={token}", token, "", "INI")
    yield Planted("go-secret", "generic-key", f'ClientSecret: "{token}",', token, "", "Go")
    yield Planted("query-token", "generic-key", f'get("https://h/v1?access_token={token}")', token)
    key = "-".join(some(HEX, n) for n in (8, 4, 4, 4, 12))
    yield Planted("heroku-uuid", "generic-key", f'HEROKU_API_KEY = "{key}"', key)


def _elsewhere(password: str, some: Callable[[str, int], str]) -> Iterator[Planted]:
    """Passwords away from their name, or with what ends a string elsewhere."""
    odd = password[:6] + "([{;," + password[6:]
    brackets, brace = password[:4] + "[" + password[4:7] + "]" + password[7:], password[:6] + "{" + password[6:]
    foreign, escaped = password[:5] + "'" + password[5:], password[:5] + "\\'" + password[5:]
    token = some(ALNUM, 32)
    for kind, rule, line, value, language in (
        ("kubernetes-value", "password", f'  - name: DB_PASSWORD\n    value: "{password}"', password, "YAML"),
        ("gitlab-ci-value", "password", f"  DB_PASSWORD:\n    value: {password}", password, "YAML"),
        ("json-value", "password", f'{{"key":"DB_PASSWORD","value":"{password}"}}', password, "JSON"),
        ("properties-colon", "password", f"db.password:{password}", password, "INI"),
        ("properties-symbols", "password", f"db.password={odd}", odd, "INI"),
        ("yaml-symbols", "password", f"db_password: {odd}", odd, "YAML"),
        ("sql-with-password", "sql-password", f"ALTER USER svc WITH PASSWORD '{password}';", password, "SQL"),
        ("sql-identified-by", "sql-password", f"CREATE USER svc IDENTIFIED BY '{password}';", password, "SQL"),
        ("dockerfile-blank", "dockerfile-password", f"ENV DB_PASSWORD {password}", password, "Dockerfile"),
        ("foreign-quote", "password", f'PASSWORD = "{foreign}"', foreign, "Python"),
        ("escaped-quote", "password", f"PASSWORD = '{escaped}'", escaped, "Python"),
        ("xml-secret", "xml-secret", f"<secret>{password}</secret>", password, "XML"),
        ("xml-api-key", "xml-secret", f"<apiKey>{password}</apiKey>", password, "XML"),
        ("auth-pair", "auth-pair", f'get(url, auth=("admin", "{password}"))', password, "Python"),
        ("auth-list", "auth-pair", f"get(url, auth=['admin', '{password}'])", password, "Python"),
        ("auth-tuple-of-lines", "auth-pair", f'auth = (\n    "admin",\n    "{password}",\n)', password, "Python"),
        ("auth-array", "auth-pair", f"get(url, {{ auth: ['admin', '{password}'] }})", password, "JavaScript"),
        ("auth-json", "auth-pair", f'  "auth": ["admin", "{password}"]', password, "JSON"),
        ("yaml-brackets", "password", f"db_password: {brackets}", brackets, "YAML"),
        ("shell-brackets", "password", f"export DB_PASSWORD={brackets}", brackets, "Shell"),
        ("shell-brace", "password", f"DB_PASSWORD={brace}", brace, "Shell"),
        ("text-brackets", "password", f"password: {brackets}", brackets, "Text"),
        (
            "comment-before-value",
            "password",
            f"  - name: DB_PASSWORD\n    # main\n    value: {password}",
            password,
            "YAML",
        ),
        (
            "blank-before-value",
            "password",
            f"  - name: DB_PASSWORD # main\n\n    value: '{password}'",
            password,
            "YAML",
        ),
        ("url-token", "url-token", f'URL = "https://{token}@git.kestrel.io/x.git"', token, "Python"),
        ("parenthesis", "password", f'PASSWORD = (\n    "{password}"\n)', password, "Python"),
    ):
        yield Planted(kind, rule, line, value, "", language)


def _encoded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
