"""Passwords and keys to plant in many languages, with digits among their letters or without any."""

from __future__ import annotations

import random
import string
from collections.abc import Callable, Iterator

from support.planting import ALNUM, DIGITS, Planted

_PASSWORD, _KEY = "password", "generic-key"
DECLARED: tuple[tuple[str, str, str], ...] = (
    ("Rust", _PASSWORD, 'const DB_PASSWORD: &str = "%s";'),
    ("Rust", _PASSWORD, 'static DB_PASSWORD: &\'static str = "%s";'),
    ("Rust", _PASSWORD, 'let password = String::from("%s");'),
    ("Rust", _PASSWORD, '    password: Some("%s".to_string()),'),
    ("Rust", _PASSWORD, 'let pw = env::var("DB_PASSWORD").unwrap_or_else(|_| "%s".to_string());'),
    ("Rust", _KEY, 'const API_KEY: &str = "%s";'),
    ("C", _PASSWORD, '#define DB_PASSWORD "%s"'),
    ("C", _PASSWORD, 'char password[] = "%s";'),
    ("C", _PASSWORD, 'static const char *password = "%s";'),
    ("C", _KEY, '#define API_KEY "%s"'),
    ("C", _KEY, 'const char api_key[64] = "%s";'),
    ("C++", _PASSWORD, 'std::string password{"%s"};'),
    ("C++", _PASSWORD, 'std::string password("%s");'),
    ("C++", _KEY, 'constexpr std::string_view kApiKey = "%s";'),
    ("C#", _PASSWORD, 'public const string Password = "%s";'),
    ("C#", _PASSWORD, 'public string Password { get; set; } = "%s";'),
    ("C#", _PASSWORD, 'var dbPassword = Read("Db") ?? "%s";'),
    ("C#", _KEY, 'var apiKey = @"%s";'),
    ("TypeScript", _PASSWORD, "const password: string = '%s';"),
    ("TypeScript", _PASSWORD, "  password?: string = '%s';"),
    ("TypeScript", _PASSWORD, "const config = { password: '%s' };"),
    ("TypeScript", _KEY, "const apiKey = process.env.API_KEY ?? '%s';"),
    ("JavaScript", _PASSWORD, "const password = process.env.DB_PASSWORD || '%s';"),
    ("Go", _PASSWORD, 'const PASSWORD string = "%s"'),
    ("Go", _PASSWORD, 'password := "%s"'),
    ("Go", _PASSWORD, '\tPassword: "%s",'),
    ("Go", _KEY, 'var apiKey string = "%s"'),
    ("Java", _PASSWORD, 'private static final String PASSWORD = "%s";'),
    ("Java", _PASSWORD, 'char[] password = "%s".toCharArray();'),
    ("Java", _PASSWORD, 'dataSource.setPassword("%s");'),
    ("Java", _KEY, 'String apiKey = "%s";'),
    ("Ruby", _PASSWORD, "PASSWORD = '%s'.freeze"),
    ("Ruby", _PASSWORD, "connect(password: '%s')"),
    ("Ruby", _PASSWORD, "password = ENV['PASSWORD'] || '%s'"),
    ("PHP", _PASSWORD, "define('DB_PASSWORD', '%s');"),
    ("PHP", _PASSWORD, "    'password' => env('DB_PASSWORD', '%s'),"),
    ("PHP", _PASSWORD, "$config['password'] = '%s';"),
    ("PHP", _KEY, "private string $apiKey = '%s';"),
    ("Kotlin", _PASSWORD, 'const val PASSWORD = "%s"'),
    ("Kotlin", _PASSWORD, 'val password: String = "%s"'),
    ("Kotlin", _KEY, 'val apiKey = System.getenv("API_KEY") ?: "%s"'),
    ("Swift", _PASSWORD, 'let password: String = "%s"'),
    ("Scala", _PASSWORD, 'val password = "%s"'),
    ("Lua", _PASSWORD, 'local password = "%s"'),
    ("Perl", _PASSWORD, "my $password = '%s';"),
    ("Perl", _PASSWORD, "  password => '%s',"),
    ("R", _PASSWORD, 'PASSWORD <- "%s"'),
    ("R", _KEY, 'api_key <- "%s"'),
    ("PowerShell", _PASSWORD, 'Connect-Host -Password "%s"'),
    ("Clojure", _PASSWORD, '{:password "%s"}'),
    ("Visual Basic .NET", _PASSWORD, 'Dim password As String = "%s"'),
    ("Python", _PASSWORD, 'password = given or "%s"'),
    ("Python", _PASSWORD, 'login = os.getenv("PASSWORD") or "%s"'),
    ("Python", _PASSWORD, 'db_pw = "%s"'),
    ("Python", _PASSWORD, 'os.getenv("DB_PWD", "%s")'),
    ("Python", _PASSWORD, 'password: Optional[str] = """%s"""'),
    ("Python", _KEY, 'api_key = os.environ.get("API_KEY") or "%s"'),
    ("Shell", _PASSWORD, 'DBPASS="%s"'),
    ("Shell", _PASSWORD, "export PGPASSWORD=%s"),
    ("Shell", _KEY, "export API_KEY=%s"),
    ("YAML", _PASSWORD, "  password: %s"),
    ("YAML", _PASSWORD, '  password: "%s"'),
    ("YAML", _KEY, "  api_key: %s"),
    ("INI", _PASSWORD, "spring.datasource.password=%s"),
    ("INI", _PASSWORD, "password = %s"),
    ("TOML", _PASSWORD, 'password = "%s"'),
    ("JSON", _PASSWORD, '  "db_password": "%s"'),
    ("Makefile", _PASSWORD, "DB_PASSWORD := %s"),
    ("XML", _PASSWORD, '<property name="password" value="%s"/>'),
    ("Dockerfile", _PASSWORD, "ENV DB_PASSWORD=%s"),
    ("Dockerfile", "dockerfile-password", "ENV DB_PASSWORD %s"),
    ("Dockerfile", _KEY, 'ARG API_KEY="%s"'),
)
"""Language, rule, and line with `%s` for the value."""

COMMENTED: tuple[tuple[str, str], ...] = (
    ("Python", "# password: %s"),
    ("Python", "x = 1  # password: %s"),
    ("JavaScript", "// password = %s"),
    ("Java", " * The password is %s."),
    ("C", "/* password: %s */"),
    ("SQL", "-- password: %s"),
)
"""A password in a comment, without quotes: (language, line)."""


def jumbled(seed: int = 0) -> list[Planted]:
    """Passwords and keys that only their letters tell from words: no digit is in them, or they stand in a comment."""
    chance = random.Random(seed)

    def letters(length: int) -> str:
        return "".join(chance.choices(string.ascii_letters, k=length))

    def mixed(length: int) -> str:
        return letters(length - 2) + chance.choice(DIGITS) + letters(1)

    in_code = declared(lambda _, length: letters(length), "letters")
    return [*in_code, *_commented(letters, "letters"), *_commented(mixed, "digits")]


def declared(some: Callable[[str, int], str], kind: str = "declared") -> Iterator[Planted]:
    """A password of 12 or a key of 34 characters, in many languages."""
    for number, (language, rule, line) in enumerate(DECLARED):
        value = some(ALNUM, 34 if rule == "generic-key" else 12)
        yield Planted(f"{kind}-{number}-{language}", rule, line % value, value, "", language)


def _commented(some: Callable[[int], str], kind: str) -> Iterator[Planted]:
    for number, (language, line) in enumerate(COMMENTED):
        value = some(12)
        yield Planted(f"comment-{kind}-{number}-{language}", "password", line % value, value, "", language)
