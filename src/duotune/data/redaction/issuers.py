"""Tokens whose form identifies who issued them.

The forms are facts from the issuers' documentation and from the rules of gitleaks (MIT, github.com/gitleaks/gitleaks,
config/gitleaks.toml of July 2026); GitLab's from docs.gitlab.com/security/tokens, "Token prefixes". Runs are matched to
their end: a token that is longer than its issuer says is still taken out whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"


@dataclass(frozen=True)
class Issuer:
    """One form of token.

    Attributes:
        rule: Its name.
        marks: Literals of which one is in every such token, within or right before a long run.
        pattern: The token; its first group is what must not look like an example, else all of it is.
        lead: Most characters of the token before the mark.
    """

    rule: str
    marks: tuple[str, ...]
    pattern: re.Pattern[str]
    lead: int = 0


def _issuer(rule: str, marks: str, pattern: str, lead: int = 0) -> Issuer:
    return Issuer(rule, tuple(marks.split()), re.compile(r"(?<![A-Za-z0-9])" + pattern), lead)


ISSUERS = (
    _issuer(
        "gitlab-token",
        "glpat- gloas- gldt- glrt- glrtr- glcbt- glptt- glft- glimt- glagent- glwt- glsoat- glffct- gitlab_session=",
        r"(?:gl(?:pat|oas|dt|rtr?|cbt|ptt|ft|imt|agent|wt|soat|ffct)-|(?<=_)gitlab_session=)([\w-]{20,}(?:\.[\w-]{2,}+)*+)",
    ),
    _issuer("gitlab-runner-registration-token", "GR1348941", r"GR1348941([\w-]{20,})"),
    _issuer("github-token", "ghp_ gho_ ghu_ ghs_ ghr_", r"gh[pousr]_([A-Za-z0-9]{36,})"),
    _issuer("github-fine-grained-token", "github_pat_", r"github_pat_(\w{40,})"),
    _issuer("aws-access-key", "AKIA ASIA ABIA ACCA", r"(?:AKIA|ASIA|ABIA|ACCA)([A-Z2-7]{16})(?![A-Za-z0-9])"),
    _issuer("aws-bedrock-key", "ABSK bedrock-api-key-", r"(?:ABSK|bedrock-api-key-)([A-Za-z0-9+/]{100,}={0,2})"),
    _issuer("google-api-key", "AIza", r"AIza([\w-]{35,})"),
    _issuer("google-oauth-secret", "GOCSPX-", r"GOCSPX-([\w-]{24,})"),
    _issuer("google-oauth-token", "ya29.", r"ya29\.([\w-]{30,}(?:\.[\w-]++)*+)"),
    _issuer("google-refresh-token", "1//0", r"1//0([\w-]{40,})"),
    _issuer("azure-devops-token", "AZDO", r"(\w{70,80}AZDO\w{4})(?!\w)", lead=80),
    _issuer("slack-token", "xoxa- xoxb- xoxe- xoxo- xoxp- xoxr- xoxs-", r"xox[abeoprs]-((?:\d-)?[\w-]{16,})"),
    _issuer("slack-token", "xoxe.xox", r"xoxe\.xox[bp]-\d-(\w{60,})"),
    _issuer("slack-app-token", "xapp-", r"xapp-\d-([A-Z0-9]+-\d+-[a-z0-9]{20,})"),
    _issuer("jwt", "eyJ", r"(eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{16,})"),
    _issuer(
        "slack-webhook",
        "services/T workflows/T triggers/T",
        r"(?:services|workflows|triggers)/(T\w{6,}/\w{6,}/\w{16,})",
    ),
    _issuer("discord-webhook", "webhooks/", r"webhooks/(\d{16,20}/[\w-]{50,})"),
    _issuer("teams-webhook", "webhookb2/", rf"webhookb2/({_UUID}@{_UUID}/\w+/\w{{32}}/{_UUID})"),
    _issuer("stripe-key", "sk_live_ sk_test_ rk_live_ rk_test_", r"[sr]k_(?:live|test)_([A-Za-z0-9]{16,})"),
    _issuer("stripe-webhook-secret", "whsec_", r"whsec_([A-Za-z0-9+/]{24,}={0,2})"),
    _issuer("twilio-key", "SK", r"SK([0-9a-f]{32})(?![A-Za-z0-9])"),
    _issuer("sendgrid-key", "SG.", r"SG\.([\w-]{16,32}\.[\w-]{16,64})"),
    _issuer("npm-token", "npm_", r"npm_([A-Za-z0-9]{36,})"),
    _issuer("pypi-token", "pypi-AgE", r"pypi-AgE([\w-]{50,})"),
    _issuer("rubygems-token", "rubygems_", r"rubygems_([0-9a-f]{48,})"),
    _issuer("nuget-key", "oy2", r"oy2([a-z0-9]{43})(?![A-Za-z0-9])"),
    _issuer("crates-token", "cio", r"cio([A-Za-z0-9]{32})(?![A-Za-z0-9])"),
    _issuer("clojars-token", "CLOJARS_", r"CLOJARS_([A-Za-z0-9]{60,})"),
    _issuer("docker-token", "dckr_pat_ dckr_oat_", r"dckr_[po]at_([\w-]{20,})"),
    _issuer("vault-token", "hvs. hvb. hvr.", r"hv[sbr]\.([\w-]{24,})"),
    _issuer("terraform-token", ".atlasv1.", r"([A-Za-z0-9]{14}\.atlasv1\.[\w=-]{60,})", lead=14),
    _issuer("databricks-token", "dapi", r"dapi([0-9a-f]{32}(?:-\d)?)(?![A-Za-z0-9])"),
    _issuer("huggingface-token", "hf_ api_org_", r"(?:hf_|api_org_)([A-Za-z0-9]{34,})(?![A-Za-z0-9_])"),
    _issuer(
        "openai-key", "sk-", r"sk-((?:proj|svcacct|admin|None)-[\w-]{40,}|[A-Za-z0-9]{20}T3BlbkFJ[A-Za-z0-9]{20,})"
    ),
    _issuer("openai-key", "sk-", r"sk-([A-Za-z0-9]{48})(?![A-Za-z0-9])"),
    _issuer("openrouter-key", "sk-or-v1-", r"sk-or-v1-([0-9a-f]{64})"),
    _issuer("anthropic-key", "sk-ant-", r"sk-ant-([\w-]{40,})"),
    _issuer("perplexity-key", "pplx-", r"pplx-([A-Za-z0-9]{48,})"),
    _issuer("groq-key", "gsk_", r"gsk_([A-Za-z0-9]{52,})"),
    _issuer("replicate-token", "r8_", r"r8_([A-Za-z0-9]{37,})"),
    _issuer("xai-key", "xai-", r"xai-([A-Za-z0-9]{70,})"),
    _issuer("telegram-token", ":AA", r"(\d{8,10}:AA[\w-]{32,34})(?![\w-])", lead=10),
    _issuer("shopify-token", "shpat_ shpca_ shppa_ shpss_ shptka_", r"shp(?:at|ca|pa|ss|tka)_([0-9a-fA-F]{32,})"),
    _issuer("square-token", "EAAA sq0atp- sq0csp-", r"(?:EAAA([\w-]{56,})|sq0[ac][ts]p-([\w-]{22,}))"),
    _issuer("facebook-token", "EAA", r"EAA([A-Z][A-Za-z0-9]{90,})"),
    _issuer("digitalocean-token", "dop_v1_ doo_v1_ dor_v1_", r"do[por]_v1_([0-9a-f]{64})"),
    _issuer("heroku-key", "HRKU-", r"HRKU-([\w-]{36,})"),
    _issuer("new-relic-key", "NRAK- NRII- NRRA- NRJS- NRIQ-", r"NR(?:AK|II|RA|JS|IQ)-([\w-]{19,})"),
    _issuer("new-relic-license", "NRAL", r"([0-9a-f]{36}NRAL)(?![A-Za-z0-9])", lead=36),
    _issuer("sentry-token", "sntrys_ sntryu_", r"sntry[su]_([\w+/=-]{50,})"),
    _issuer("mailgun-key", "key-", r"key-([0-9a-f]{32})(?![A-Za-z0-9])"),
    _issuer("mailchimp-key", "-us", r"([0-9a-f]{32}-us\d{1,2})(?![A-Za-z0-9])", lead=32),
    _issuer("sendinblue-key", "xkeysib-", r"xkeysib-([0-9a-f]{64}-[A-Za-z0-9]{16,})"),
    _issuer("atlassian-token", "ATATT3 ATCTT3", r"AT[AC]TT3([\w=-]{60,})"),
    _issuer("bitbucket-password", "ATBB", r"ATBB([A-Za-z0-9_=]{28,32})(?![A-Za-z0-9])"),
    _issuer("linear-key", "lin_api_ lin_oauth_", r"lin_(?:api|oauth)_([A-Za-z0-9]{40,})"),
    _issuer("notion-token", "ntn_", r"ntn_([A-Za-z0-9]{43,})"),
    _issuer("postman-key", "PMAK-", r"PMAK-([0-9a-f]{24}-[0-9a-f]{34})"),
    _issuer("grafana-token", "glsa_ glc_", r"(?:glsa_([A-Za-z0-9]{32}_[0-9a-fA-F]{8})|glc_([A-Za-z0-9+/]{32,}={0,3}))"),
    _issuer("age-key", "AGE-SECRET-KEY-1", r"AGE-SECRET-KEY-1([QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58})"),
    _issuer("cloudflare-origin-key", "v1.0-", r"v1\.0-([0-9a-f]{24}-[0-9a-f]{146})"),
    _issuer("doppler-token", "dp.pt. dp.st. dp.ct. dp.sa.", r"dp\.(?:pt|ct|sa|st(?:\.[\w-]+)?)\.([A-Za-z0-9]{40,})"),
    _issuer("dropbox-token", "sl.", r"sl\.((?:u\.)?[\w-]{130,})"),
    _issuer("dynatrace-token", "dt0c01. dt0s01.", r"dt0[cs]01\.([A-Z0-9]{24}\.[A-Z0-9]{64})"),
    _issuer("easypost-key", "EZAK EZTK", r"EZ[AT]K([A-Za-z0-9]{54,})"),
    _issuer("figma-token", "figd_", r"figd_([\w-]{38,})"),
    _issuer("fly-token", "fo1_ fm1r_ fm1a_ fm2_", r"(?:fo1_([\w-]{43})|fm(?:1[ar]|2)_([A-Za-z0-9+/]{80,}={0,3}))"),
    _issuer("flutterwave-key", "FLWSECK", r"FLWSECK(?:_TEST)?-([0-9a-hA-H]{12,}(?:-X)?)"),
    _issuer("mapbox-token", "sk.eyJ", r"sk\.(eyJ[\w-]{40,}\.[\w-]{20,})"),
    _issuer("netlify-token", "nfp_", r"nfp_([A-Za-z0-9]{36,})"),
    _issuer("okta-token", "SSWS", r"SSWS ?(00[\w-]{40})"),
    _issuer("onepassword-token", "ops_eyJ", r"ops_(eyJ[\w+/=-]{200,})"),
    _issuer("onepassword-key", "A3-", r"A3-([A-Z0-9]{6}-(?:[A-Z0-9]{11}|[A-Z0-9]{6}-[A-Z0-9]{5})(?:-[A-Z0-9]{5}){3})"),
    _issuer("artifactory-token", "AKCp cmVmd", r"(?:AKCp([A-Za-z0-9]{60,})|cmVmd([A-Za-z0-9]{59})(?![A-Za-z0-9]))"),
    _issuer("alibaba-key", "LTAI", r"LTAI([A-Za-z0-9]{16,20})(?![A-Za-z0-9])"),
    _issuer("airtable-token", "pat", r"(pat[A-Za-z0-9]{14}\.[0-9a-f]{64})"),
    _issuer("planetscale-token", "pscale_", r"pscale_(?:tkn|pw|oauth)_([\w=.-]{32,})"),
    _issuer("prefect-key", "pnu_ pnb_", r"pn[ub]_([A-Za-z0-9]{36,})"),
    _issuer("pulumi-token", "pul-", r"pul-([0-9a-f]{40})(?![A-Za-z0-9])"),
    _issuer("readme-key", "rdme_", r"rdme_([a-z0-9]{70,})"),
    _issuer("shippo-token", "shippo_", r"shippo_(?:live|test)_([0-9a-fA-F]{40})"),
    _issuer("sonar-token", "sqp_ squ_ sqa_", r"sq[pua]_([0-9a-f]{40})(?![A-Za-z0-9])"),
    _issuer("sourcegraph-token", "sgp_", r"sgp_((?:[0-9a-f]{16}_|local_)?[0-9a-f]{40})(?![A-Za-z0-9])"),
    _issuer("supabase-key", "sbp_ sb_secret_", r"(?:sbp_([0-9a-f]{40})|sb_secret_([\w-]{30,}))"),
    _issuer("tailscale-key", "tskey-", r"tskey-[a-z]+-([A-Za-z0-9]{9,}-[A-Za-z0-9]{20,})"),
    _issuer("typeform-token", "tfp_", r"tfp_([\w.-]{50,})"),
    _issuer("yandex-key", "AQVN", r"AQVN([\w-]{35,38})(?![\w-])"),
    _issuer("openshift-token", "sha256~", r"sha256~([\w-]{43})(?![\w-])"),
    _issuer("octopus-key", "API-", r"API-([A-Z0-9]{26,32})(?![A-Za-z0-9])"),
    _issuer("launchdarkly-key", "sdk- api- mob-", rf"(?:sdk|api|mob)-({_UUID})"),
    _issuer("razorpay-key", "rzp_live_", r"rzp_live_([A-Za-z0-9]{14,})"),
    _issuer("braintree-token", "production$", r"access_token\$production\$([0-9a-z]{16}\$[0-9a-f]{32})", lead=13),
    _issuer("buildkite-token", "bkua_", r"bkua_([0-9a-f]{40})"),
    _issuer("circleci-token", "CCIPAT_", r"CCIPAT_([A-Za-z0-9]{22}_[0-9a-f]{40})"),
    _issuer("contentful-token", "CFPAT-", r"CFPAT-([\w-]{43,})"),
    _issuer("duffel-token", "duffel_", r"duffel_(?:test|live)_([\w=-]{43,})"),
    _issuer("adobe-secret", "p8e- p8-", r"p8e?-([\w-]{32})(?![\w-])"),
    _issuer("infracost-key", "ico-", r"ico-([A-Za-z0-9]{32})(?![A-Za-z0-9])"),
    _issuer("maxmind-key", "_mmk", r"([A-Za-z0-9]{6}_[A-Za-z0-9]{29}_mmk)", lead=36),
    _issuer("firebase-key", ":APA91b", r"([\w-]{7,40}:APA91b[\w-]{100,})", lead=40),
    _issuer("plaid-token", "production-", rf"access-production-({_UUID})", lead=7),
)


def _trie(words: list[str]) -> str:
    """A pattern of one branch per first character, which the regular expression engine skips fastest."""
    by_first: dict[str, list[str]] = {}
    for word in words:
        by_first.setdefault(word[0], []).append(word[1:])
    branches = []
    for first, rests in by_first.items():
        longer = [rest for rest in rests if rest]
        tail = _trie(longer) if longer else ""
        optional = "?" if "" in rests and longer else ""
        branches.append(re.escape(first) + (f"(?:{tail}){optional}" if longer else ""))
    return "|".join(branches)


_BY_MARK: dict[str, list[Issuer]] = {}
for _one in ISSUERS:
    for _mark in _one.marks:
        _BY_MARK.setdefault(_mark, []).append(_one)
_MARK = re.compile(_trie(sorted(_BY_MARK, reverse=True)))
_BARE_MARKS = frozenset(mark[:3] for mark in _BY_MARK if mark[:3].isalpha() and mark[-1] not in "-_." and len(mark) > 2)
_DOTTED_MARKS = frozenset(mark[-3:] for mark in _BY_MARK if mark.endswith("."))
_LONGEST_OUTSIDE = 11
"""Characters of a mark that may stand before a run, as in `.atlasv1.` and `production$`."""


def may_be_issued(text: str, start: int, end: int) -> bool:
    """Whether a long run without any digit is worth a search: most are names.

    One token in thirty has no digit. It then begins as few names do, or has `-` or `_` after its mark, and, as names in
    small or large letters with such between them have not, letters of both cases.
    """
    run = text[start:end]
    if "-" in run or "_" in run:
        return run.lower() != run != run.upper()
    return run[:3] in _BARE_MARKS or text[start - 3 : start] in _DOTTED_MARKS


def issued(text: str, start: int, end: int) -> Iterator[tuple[Issuer, re.Match[str]]]:
    """Tokens that begin within or right before the long run `text[start:end]`, or whose mark does."""
    place = max(0, start - _LONGEST_OUTSIDE)
    tried: dict[Issuer, int] = {}
    while (mark := _MARK.search(text, place, end)) is not None:
        for issuer in _BY_MARK[mark[0]]:
            match = _token(issuer, text, mark.start(), tried)
            if match is not None:
                yield issuer, match
        place = mark.start() + 1


def _token(issuer: Issuer, text: str, mark: int, tried: dict[Issuer, int]) -> re.Match[str] | None:
    """The token around a mark; no place is tried twice for one issuer, however many marks stand behind it."""
    first = max(0, mark - issuer.lead, tried.get(issuer, 0))
    tried[issuer] = mark + 1
    for start in range(first, mark + 1):
        if start and text[start - 1].isalnum() and text[start - 1].isascii():
            continue
        match = issuer.pattern.match(text, start)
        if match is not None and match.end() > mark:
            tried[issuer] = start + 1
            return match
    return None
