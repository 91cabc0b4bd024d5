"""What is wrong with TLS at the other end, out of the error that its library raised: one sentence and its own remedy.

Whoever speaks TLS asks here (broker, InfluxDB, Grafana, providers, heartbeat). No certificate is read and nothing is
connected: an error is looked at, with whatever lies below it.
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import Final, NamedTuple


class TlsTrouble(StrEnum):
    """What it is; few, so that each can be a channel's reason."""

    EXPIRED = "tls_expired"
    NOT_YET_VALID = "tls_not_yet_valid"
    SELF_SIGNED = "tls_self_signed"
    UNKNOWN_ISSUER = "tls_unknown_issuer"
    WRONG_HOST = "tls_wrong_host"
    UNTRUSTED = "tls_untrusted"
    CLIENT_CERTIFICATE = "tls_client_certificate"
    PLAIN = "tls_plain"
    VERSION = "tls_version"
    CA_MISSING = "tls_ca_missing"
    CA_UNREADABLE = "tls_ca_unreadable"
    CA_NO_CERTIFICATE = "tls_ca_no_certificate"


class TlsFault(NamedTuple):
    """``state`` says what it is, ``remedy`` what to do."""

    kind: TlsTrouble
    state: str
    remedy: str


_BY_CODE: Final = {
    9: TlsTrouble.NOT_YET_VALID,
    10: TlsTrouble.EXPIRED,
    18: TlsTrouble.SELF_SIGNED,
    19: TlsTrouble.SELF_SIGNED,
    20: TlsTrouble.UNKNOWN_ISSUER,
    21: TlsTrouble.UNKNOWN_ISSUER,
    62: TlsTrouble.WRONG_HOST,
    64: TlsTrouble.WRONG_HOST,
}
"""X.509's codes, as OpenSSL numbers them (``X509_V_ERR_…``)."""
_BY_REASON: Final = (
    ("WRONG_VERSION_NUMBER", TlsTrouble.PLAIN),
    ("RECORD_LAYER_FAILURE", TlsTrouble.PLAIN),
    ("PACKET_LENGTH_TOO_LONG", TlsTrouble.PLAIN),
    ("BAD_RECORD_TYPE", TlsTrouble.PLAIN),
    ("UNKNOWN_PROTOCOL", TlsTrouble.PLAIN),
    ("UNEXPECTED_EOF", TlsTrouble.PLAIN),
    ("HTTP_REQUEST", TlsTrouble.PLAIN),
    ("PROTOCOL_VERSION", TlsTrouble.VERSION),
    ("UNSUPPORTED_PROTOCOL", TlsTrouble.VERSION),
    ("HANDSHAKE_FAILURE", TlsTrouble.VERSION),
    ("NO_SHARED_CIPHER", TlsTrouble.VERSION),
    ("CERTIFICATE_REQUIRED", TlsTrouble.CLIENT_CERTIFICATE),
    ("NO_CERTIFICATE_OR_CRL", TlsTrouble.CA_NO_CERTIFICATE),
    ("NO_START_LINE", TlsTrouble.CA_NO_CERTIFICATE),
)
"""What OpenSSL's own reasons contain."""

_BY_MESSAGE: Final = (
    ("HAS_EXPIRED", TlsTrouble.EXPIRED),
    ("NOT_YET_VALID", TlsTrouble.NOT_YET_VALID),
    ("SELF_SIGNED", TlsTrouble.SELF_SIGNED),
    ("LOCAL_ISSUER", TlsTrouble.UNKNOWN_ISSUER),
    ("HOSTNAME_MISMATCH", TlsTrouble.WRONG_HOST),
    ("IP_ADDRESS_MISMATCH", TlsTrouble.WRONG_HOST),
)
"""What the message of a failed verification contains."""

_WORDS: Final = {
    TlsTrouble.EXPIRED: (
        "对方的证书已过期 (its certificate has expired)",
        (
            "请在对方服务器上换新证书；若证书其实没过期，请核对本机的日期和时间"
            " (renew the certificate there; if it is still valid, this machine's clock is wrong)"
        ),
    ),
    TlsTrouble.NOT_YET_VALID: (
        "对方的证书还没有生效 (its certificate is not valid yet)",
        (
            "请先核对本机的日期和时间，再看证书的起始日期"
            " (check this machine's clock first, then the date from which the certificate is valid)"
        ),
    ),
    TlsTrouble.SELF_SIGNED: (
        "对方的证书是自签名的，本机不信任它 (its certificate is self-signed and not trusted here)",
        (
            "请把签发它的 CA 证书存成文件，写到 {ca}；或换成受信任机构签发的证书"
            " (name the file of the CA that signed it as {ca}, or have a certificate that is trusted)"
        ),
    ),
    TlsTrouble.UNKNOWN_ISSUER: (
        "本机不认识签发对方证书的 CA，或证书链不全 (unknown issuer, or an incomplete chain)",
        (
            "请把该 CA 的证书写到 {ca}；若用公共证书，请在对方服务器上配好中间证书"
            " (name that CA's file as {ca}; with a public certificate, have the server send its whole chain)"
        ),
    ),
    TlsTrouble.WRONG_HOST: (
        "证书上的主机名和 {url} 对不上 (the certificate is for another host name)",
        (
            "请把 {key} 改成证书上的名字，或换一张写有这个名字的证书"
            " (set {key} to a name that stands in the certificate, or have one with this name)"
        ),
    ),
    TlsTrouble.UNTRUSTED: (
        "对方的证书没有通过检查 (its certificate does not verify)",
        "请看括号里的原因，换一张合格的证书 (see the reason, and have a certificate that verifies)",
    ),
    TlsTrouble.CLIENT_CERTIFICATE: (
        "对方要求客户端证书，这里没有 (it asks for a client's certificate)",
        "请在对方关掉客户端证书要求，网关用用户名和密码 (turn that off there: we come in by name and password)",
    ),
    TlsTrouble.PLAIN: (
        "对方在这个端口上不讲 TLS (TLS was spoken to a port that does not speak it)",
        (
            "请核对 {key} 的端口，或把网址开头改成不加密的 {plain}"
            " (correct the port of {key}, or let it begin with {plain})"
        ),
    ),
    TlsTrouble.VERSION: (
        "双方没有共同的 TLS 版本或算法 (no TLS version or cipher in common)",
        "请在对方启用 TLS 1.2 或更新的版本 (enable TLS 1.2 or newer there)",
    ),
    TlsTrouble.CA_MISSING: (
        "CA 文件不存在：{path} (the CA file is not there)",
        "请把 CA 证书放到那里，或改正 {ca} (put the CA's certificate there, or correct {ca})",
    ),
    TlsTrouble.CA_UNREADABLE: (
        "CA 文件读不了：{path} (the CA file cannot be read)",
        "请让网关的用户能读它，或改正 {ca} (let the gateway's user read it, or correct {ca})",
    ),
    TlsTrouble.CA_NO_CERTIFICATE: (
        "CA 文件里没有证书：{path} (the CA file holds no certificate)",
        (
            "请放一份 PEM 格式的 CA 证书（-----BEGIN CERTIFICATE-----），或改正 {ca}"
            " (it must be a PEM certificate; or correct {ca})"
        ),
    ),
}


class TlsEnd(NamedTuple):
    """The other end as the operator knows it: its address, and the keys that say where it is and whom it may trust."""

    url: str
    key: str
    ca: str
    plain: str


def kind_of(error: BaseException) -> TlsTrouble | None:
    """What it is; ``None`` where the trouble is not TLS's. An error's own code goes before what it says."""
    chain = tuple(_chain(error))
    if code := next((code for below in chain if (code := getattr(below, "verify_code", 0))), 0):
        return _BY_CODE.get(code, TlsTrouble.UNTRUSTED)
    found = next((kind for below in chain if (kind := kind_in(f"{type(below).__name__}: {below}"))), None)
    if found is None and any("SSL" in type(below).__name__ for below in chain):  # the CA file, as it was read
        files = [below for below in chain if isinstance(below, FileNotFoundError | PermissionError | IsADirectoryError)]
        if files:
            found = TlsTrouble.CA_MISSING if isinstance(files[0], FileNotFoundError) else TlsTrouble.CA_UNREADABLE
    return found


def kind_in(said: str) -> TlsTrouble | None:
    """The same for a library that keeps nothing of an error but its words."""
    words = said.upper().replace(" ", "_").replace("-", "_")
    if "SSL" not in words and "TLS" not in words and "X509" not in words:
        return None
    found = next((kind for part, kind in _BY_REASON if part in words), None)
    if found is None and "CERTIFICATE_VERIFY_FAILED" in words:
        return next((kind for part, kind in _BY_MESSAGE if part in words), TlsTrouble.UNTRUSTED)
    return found


def tls_fault(error: BaseException, end: TlsEnd, ca_path: str = "") -> TlsFault | None:
    """The sentence and the remedy for whoever looks after ``end``; ``None`` where the trouble is not TLS's."""
    kind = kind_of(error)
    return None if kind is None else worded(kind, end, ca_path, why=_why(error) if kind is TlsTrouble.UNTRUSTED else "")


def worded(kind: TlsTrouble, end: TlsEnd, ca_path: str = "", why: str = "") -> TlsFault:
    """One trouble in words."""
    state, remedy = (
        text.format(url=end.url, key=end.key, ca=end.ca, plain=end.plain, path=ca_path) for text in _WORDS[kind]
    )
    return TlsFault(kind, f"{state} ({why})" if why else state, remedy)


def _why(error: BaseException) -> str:
    return next((str(said) for each in _chain(error) if (said := getattr(each, "verify_message", None))), "")


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and what lies below it: as cause, as context, or wrapped as an argument or a reason."""
    waiting, seen = [error], set[int]()
    while waiting:
        found = waiting.pop(0)
        if id(found) in seen:
            continue
        seen.add(id(found))
        yield found
        below = (found.__cause__, found.__context__, getattr(found, "reason", None), *found.args)
        waiting += [each for each in below if isinstance(each, BaseException)]
