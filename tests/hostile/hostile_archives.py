"""hostile_archives: a table of archives that want something they must not have, and what import has to say.

A row is (name, bytes, verdict, rule): "refused" with its rule, "cleaned" with the sorted rules of its notes, or
"lands" where the thing is odd but harmless. OUTSIDE stands in names and targets for a directory of the test.
"""
import bz2
import gzip
import io
import lzma
import os
import struct
import sys
import tarfile
import zipfile
import zlib

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../unit"))
from files_lib import Tar  # noqa: E402

END = bytes(1024)
GNU, PAX, USTAR = tarfile.GNU_FORMAT, tarfile.PAX_FORMAT, tarfile.USTAR_FORMAT


def block(name=b"f", size=b"00000000000", type=b"0", link=b"", mode=b"0000644", magic=b"ustar\0" b"00", prefix=b"",
          checksum=None, mtime=b"07346545000", uid=b"0000000"):
    """One header, byte by byte; the checksum is right unless another is given."""
    head = bytearray(512)
    for at, width, value in ((0, 100, name), (100, 8, mode), (108, 8, uid), (116, 8, b"0000000"), (124, 12, size),
                             (136, 12, mtime), (148, 8, b" " * 8), (156, 1, type), (157, 100, link), (257, 8, magic),
                             (345, 155, prefix)):
        head[at:at + min(width, len(value))] = value[:width]
    head[148:156] = checksum if checksum is not None else b"%06o\0 " % sum(head)
    return bytes(head)


def body(data):
    return data + bytes(-len(data) % 512)


def big(value, width=12):
    """GNU's base 256; a negative value is two's complement."""
    return bytes([0xff if value < 0 else 0x80]) + (value % 256 ** (width - 1)).to_bytes(width - 1, "big")


def pax(records, type=b"x"):
    """A pax header of raw records (key, value), whatever they say."""
    text = b""
    for key, value in records:
        n = len(key) + len(value) + 3
        while len(b"%d" % n) + len(key) + len(value) + 3 != n:
            n = len(b"%d" % n) + len(key) + len(value) + 3
        text += b"%d %s=%s\n" % (n, key, value)
    return block(b"PaxHeaders/f", b"%011o" % len(text), type) + body(text)


def gnu_long(value, type=b"L"):
    return block(b"././@LongLink", b"%011o" % (len(value) + 1), type, magic=b"ustar  \0") + body(value + b"\0")


def file(name=b"f", data=b"x", **fields):
    return block(name, b"%011o" % len(data), **fields) + body(data)


PIECE = 64 << 20


def gz_bomb(n):
    """A tar of one file of @n zeroes in one gzip member: a piece of deflate that stands alone, again and again."""
    deflate = zlib.compressobj(9, zlib.DEFLATED, 31)
    head = deflate.compress(block(b"bomb", b"%011o" % n)) + deflate.flush(zlib.Z_FULL_FLUSH)
    piece = deflate.compress(bytes(PIECE)) + deflate.flush(zlib.Z_FULL_FLUSH)
    return head + piece * (n // PIECE) + deflate.flush()


def bomb(compress, n, name=b"bomb", filler=b"\0"):
    """A tar of one file of @n bytes as streams behind each other, which decoders take for one."""
    return compress(block(name, b"%011o" % n)) + compress(filler * PIECE) * (n // PIECE) + compress(END)


def zstd(blocks, window=7):
    """A zstd frame of raw blocks (bytes) and runs ((byte, length)), made by hand; window: 2^(10 + n) bytes."""
    out = b"\x28\xb5\x2f\xfd\x00" + bytes([window << 3])
    for i, what in enumerate(blocks):
        size = what[1] if isinstance(what, tuple) else len(what)
        head = (i == len(blocks) - 1) | isinstance(what, tuple) << 1 | size << 3
        out += head.to_bytes(3, "little") + (what[0] if isinstance(what, tuple) else what)
    return out


def xz_of_dictionary(data, bits):
    """An xz stream whose block says that its dictionary is as large as 4 GB (40); its sums are right."""
    stream = bytearray(lzma.compress(data, check=lzma.CHECK_CRC32))
    n = (stream[12] + 1) * 4
    at = stream.index(b"\x21\x01", 12) + 2
    stream[at] = bits
    stream[12 + n - 4:12 + n] = zlib.crc32(bytes(stream[12:12 + n - 4])).to_bytes(4, "little")
    return bytes(stream)


def pax_sparse(size, sizes=None, name="hole"):
    """A sparse file of pax form 1.0 with a map that says what it likes."""
    pieces = sizes if sizes is not None else [(size - 1, 1)]
    text = b"%d\n" % len(pieces) + b"".join(b"%d\n%d\n" % piece for piece in pieces)
    data = body(text) + b"x" * len(pieces)
    head = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": name, "GNU.sparse.realsize": str(size)}
    return Tar().add("GNUSparseFile.0/hole", data, pax_headers=head).bytes()


def old_sparse(real, offset, n):
    """GNU's old form: the map lies in the header itself."""
    head = bytearray(block(b"hole", b"%011o" % 512, b"S", magic=b"ustar  \0"))
    head[386:398], head[398:410] = b"%011o\0" % offset, b"%011o\0" % n
    head[483:495] = b"%011o\0" % real
    head[148:156] = b" " * 8
    head[148:156] = b"%06o\0 " % sum(head)
    return bytes(head) + bytes(512) + END


def many(n):
    tar = Tar(fmt=USTAR)
    for i in range(n):
        tar.add(f"e{i}")
    return tar.bytes()


def zip_of_a_file():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as z:
        z.writestr("../evil", "x")
    return out.getvalue()


def newc():
    name = b"../evil\0"
    fields = [1, 0o100644, 0, 0, 1, 0, 1, 0, 0, 0, 0, len(name), 0]
    return b"070701" + b"".join(b"%08x" % f for f in fields) + name + b"x" * 512


def names(outside):
    t = outside
    rows = [(f"an absolute name, {fmt}", Tar(fmt=f).add(f"{t}/evil", b"x").bytes(), "refused", "name-absolute")
            for fmt, f in (("pax", PAX), ("GNU", GNU), ("ustar", USTAR))]
    rows += [
        ("an absolute name, from ustar's prefix", file(b"evil", prefix=t.encode()) + END, "refused", "name-absolute"),
        ("an absolute name of a directory", Tar().dir(f"{t}/evil").bytes(), "refused", "name-absolute"),
        ("many slashes first", Tar().add(f"///{t}/evil").bytes(), "refused", "name-absolute"),
        (".. at the start", Tar().add("../evil").bytes(), "refused", "name-dotdot"),
        (".. in the middle", Tar().dir("a").add("a/../../evil").bytes(), "refused", "name-dotdot"),
        (".. at the end", Tar().dir("a/..").bytes(), "refused", "name-dotdot"),
        (".. that stays inside", Tar().dir("a").add("a/../b").bytes(), "refused", "name-dotdot"),
        (".. behind dots and slashes", Tar().add(".//././../evil").bytes(), "refused", "name-dotdot"),
        (".. split between ustar's prefix and name", file(b"../evil", prefix=b"a") + END, "refused", "name-dotdot"),
        (".. in a long name of GNU's", Tar(fmt=GNU).add("../" * 60 + "evil").bytes(), "refused", "name-dotdot"),
        (".. in a pax path over an honest name", pax([(b"path", b"../evil")]) + file() + END, "refused", "name-dotdot"),
        ("an absolute pax path over an honest name", pax([(b"path", t.encode() + b"/evil")]) + file() + END,
         "refused", "name-absolute"),
        ("a pax path twice, the last one out", pax([(b"path", b"good"), (b"path", b"../evil")]) + file() + END,
         "refused", "name-dotdot"),
        ("a global pax path", pax([(b"path", b"../evil")], b"g") + file() + END, "lands", None),
        ("a pax path of nothing", pax([(b"path", b"")]) + file() + END, "lands", None),
        ("a GNU long name over a pax path", pax([(b"path", b"good")]) + gnu_long(b"../evil") + file() + END,
         "lands", None),
        ("an empty name", file(b"") + END, "refused", "name-empty"),
        ("a file named as the root with a slash", Tar().add("./", b"x").bytes(), "refused", "damaged"),
        ("a file named as the root", Tar().add(".", b"x").bytes(), "refused", "name-empty"),
        ("a link named as the root", Tar().link(".", t).bytes(), "refused", "name-empty"),
        ("a hard link named as the root", Tar().add("f").hard("./.", "f").bytes(), "refused", "name-empty"),
        ("a newline", Tar().add("a\nb").bytes(), "refused", "name-bytes"),
        ("a carriage return", Tar().add("a\rb").bytes(), "refused", "name-bytes"),
        ("an escape sequence", Tar().add("\x1b]0;owned\x07").bytes(), "refused", "name-bytes"),
        ("a delete byte", Tar().add("a\x7f").bytes(), "refused", "name-bytes"),
        ("a 0 byte in a pax path", pax([(b"path", b"good\0/../../evil")]) + file() + END, "lands", None),
        ("bytes that are no UTF-8", file(b"\xff\xfe\x80") + END, "lands", None),
        ("an overlong form of a slash", file(b"..\xc0\xaf..\xc0\xafevil") + END, "lands", None),
        ("a full-width solidus", Tar().add("..\uff0fevil").bytes(), "lands", None),
        ("a backslash", Tar().add("..\\..\\evil").bytes(), "lands", None),
        ("a component of 256 bytes", Tar().add("n" * 256).bytes(), "refused", "name-long"),
        ("a path of 5000 bytes", Tar().add(("d" * 200 + "/") * 25 + "f").bytes(), "refused", "name-long"),
        ("a name of a megabyte", gnu_long(b"n" * (1 << 20)) + file() + END, "refused", "format"),
        ("300 directories deep", Tar().add("a/" * 300 + "f").bytes(), "refused", "name-depth"),
        ("empty components and dots", Tar().add("a//b/./c").bytes(), "lands", None),
    ]
    return rows


def links(outside):
    t = outside
    return [
        ("a file through a link", Tar().link("d", t).add("d/evil", b"x").bytes(), "refused", "through-link"),
        ("a file through a link that stays inside", Tar().dir("a").link("d", "a").add("d/f").bytes(),
         "refused", "through-link"),
        ("a file through two links", Tar().link("a", t).link("b", "a").add("b/evil").bytes(), "refused", "through-link"),
        ("a file through a link at depth", Tar().link("a/b/c", t).add("a/b/c/d/evil").bytes(), "refused", "through-link"),
        ("a directory through a link", Tar().link("d", "..").dir("d/evil").bytes(), "refused", "through-link"),
        ("a link through a link", Tar().link("d", t).link("d/evil", "x").bytes(), "refused", "through-link"),
        ("a hard link's name through a link", Tar().add("f").link("d", t).hard("d/evil", "f").bytes(),
         "refused", "through-link"),
        ("a hard link to a link, then through it", Tar().link("l", t).hard("h", "l").add("h/evil").bytes(),
         "refused", "through-link"),
        ("a file beneath a file", Tar().add("f").add("f/x").bytes(), "refused", "through-link"),
        ("a hard link to an absolute name", Tar().hard("h", f"{t}/secret").bytes(), "refused", "link-out"),
        ("a hard link by ..", Tar().hard("h", "../../secret").bytes(), "refused", "link-out"),
        ("a pax linkpath over an honest target", pax([(b"linkpath", t.encode() + b"/secret")]) +
         file(b"f", b"") + pax([(b"linkpath", t.encode() + b"/secret")]) + block(b"h", type=b"1", link=b"f") + END,
         "refused", "link-out"),
        ("a long link name of GNU's that leads out", file() + gnu_long(b"../" * 50 + b"secret", b"K") +
         block(b"h", type=b"1", link=b"f", magic=b"ustar  \0") + END, "refused", "link-out"),
        ("a hard link to nothing", Tar().hard("h", "nothing").bytes(), "refused", "link-missing"),
        ("a hard link to what comes later", Tar().hard("h", "f").add("f").bytes(), "refused", "link-missing"),
        ("a hard link to a directory", Tar().dir("d").hard("h", "d").bytes(), "refused", "link-missing"),
        ("a hard link to a device that was left out", Tar().add("n", type=tarfile.CHRTYPE).hard("h", "n").bytes(),
         "refused", "link-missing"),
        ("a hard link's target through a link", Tar().link("l", t).hard("h", "l/secret").bytes(),
         "refused", "link-missing"),
        ("a hard link to nothing at all", block(b"h", type=b"1") + END, "cleaned", ["special-file"]),
        ("a hard link that is a device's name", Tar().add("n", type=tarfile.FIFOTYPE).hard("n", "n").bytes(),
         "refused", "link-missing"),
        ("a hard link to itself", Tar().add("f").hard("f", "f").bytes(), "lands", None),
        ("a link to an absolute name", Tar().link("l", f"{t}/secret").bytes(), "lands", None),
        ("a loop of links", Tar().link("a", "b").link("b", "a").link("c", "c").bytes(), "lands", None),
        ("a link of no target", block(b"l", type=b"2") + END, "refused", "damaged"),
        ("a link with a target of 5000 bytes", Tar().link("l", "t/" * 2500).bytes(), "refused", "damaged"),
        ("a file over a hard link", Tar().add("a", b"keep").hard("b", "a").add("b", b"new").bytes(), "lands", None),
        ("a link, then a directory, then below it", Tar().link("d", t).dir("d").add("d/evil").bytes(),
         "refused", "type-change"),
        ("a directory, then a link, then a directory", Tar().dir("d").link("d", t).dir("d").add("d/evil").bytes(),
         "refused", "type-change"),
        ("a link, then a file of its name", Tar().link("l", f"{t}/secret").add("l", b"x").bytes(),
         "refused", "type-change"),
        ("a file, then a link, then through it", Tar().add("d").link("d", t).add("d/evil").bytes(),
         "refused", "type-change"),
        ("a file, then a directory", Tar().add("a").dir("a").bytes(), "refused", "type-change"),
        ("a directory that was implied, then a link", Tar().add("a/b").link("a", t).bytes(), "refused", "type-change"),
        ("a link, then a hard link of its name", Tar().add("f").link("l", t).hard("l", "f").bytes(),
         "refused", "type-change"),
    ]


def rights(outside):
    def xattr(*keys, prefix="SCHILY.xattr."):
        return Tar().add("f", b"1", pax_headers={prefix + key: "y" for key in keys}).bytes()

    cap = struct.pack("<5I", 0x02000001, 0x7f, 0, 0, 0).decode("latin-1")
    return [
        ("set-user-id", Tar().add("f", b"x", mode=0o4755).bytes(), "cleaned", ["set-id"]),
        ("set-group-id of a directory", Tar().dir("d", mode=0o2777).bytes(), "cleaned", ["set-id"]),
        ("set-id of the root itself", Tar().dir("./", mode=0o6755).bytes(), "cleaned", ["set-id"]),
        ("set-id bits from a second entry", Tar().dir("d").dir("d", mode=0o2755).bytes(), "cleaned", ["set-id"]),
        ("set-id by a mode of more bits than there are", file(mode=b"7777777") + END, "cleaned", ["set-id"]),
        ("a hard link with set-id bits", Tar().add("f").hard("h", "f", mode=0o6755).bytes(), "lands", None),
        ("an owner beyond a jail's ids", Tar().add("f", uid=4000000000).bytes(), "cleaned", ["id-range"]),
        ("a negative owner", file(uid=big(-1, 8)) + END, "cleaned", ["id-range"]),
        ("a character device", Tar().add("mem", type=tarfile.CHRTYPE, devmajor=1, devminor=1).bytes(),
         "cleaned", ["special-file"]),
        ("a block device", Tar().add("disk", type=tarfile.BLKTYPE, devmajor=8).bytes(), "cleaned", ["special-file"]),
        ("a fifo", Tar().add("p", type=tarfile.FIFOTYPE).bytes(), "cleaned", ["special-file"]),
        ("a device named as the root", Tar().add(".", type=tarfile.CHRTYPE).bytes(), "cleaned", ["special-file"]),
        ("a socket by the mode of a file", file(mode=b"0140644") + END, "lands", None),
        ("an overlay's whiteout, as a device 0/0", Tar().add("w", type=tarfile.CHRTYPE).bytes(),
         "cleaned", ["special-file"]),
        ("a whiteout by its name", Tar().add(".wh.etc").bytes(), "cleaned", ["whiteout-name"]),
        ("an opaque mark by its name", Tar().add("etc/.wh..wh..opq").bytes(), "cleaned", ["whiteout-name"]),
        ("a whiteout's name for a directory", Tar().dir(".wh.d").bytes(), "cleaned", ["whiteout-name"]),
        ("below a whiteout's name", Tar().add(".wh.d/f").add("a/.wh.d/g/h").bytes(), "cleaned", ["whiteout-name"] * 2),
        ("trusted.overlay.*", xattr("trusted.overlay.opaque", "trusted.overlay.redirect", "trusted.overlay.metacopy"),
         "cleaned", ["xattr"] * 3),
        ("user.overlay.*", xattr("user.overlay.opaque", "user.overlay.whiteout", "user.overlay.redirect"),
         "cleaned", ["xattr"] * 3),
        ("a file capability", Tar().add("f", pax_headers={"SCHILY.xattr.security.capability": cap}).bytes(),
         "cleaned", ["xattr"]),
        ("security labels", xattr("security.selinux", "security.SMACK64", "security.ima", "security.evm"),
         "cleaned", ["xattr"] * 4),
        ("security labels in the form of RHT", xattr("selinux", prefix="RHT.security."), "cleaned", ["xattr"]),
        ("attributes in libarchive's own form", Tar().add("f", pax_headers={
            "LIBARCHIVE.xattr.security.capability": "AQAAAg=="}).bytes(), "cleaned", ["xattr"]),
        ("access lists as attributes", xattr("system.posix_acl_access", "system.posix_acl_default"),
         "cleaned", ["xattr"] * 2),
        ("an access list", Tar().add("f", pax_headers={
            "SCHILY.acl.access": "user::rwx,user:root:rwx,group::r--,mask::rwx,other::rwx"}).bytes(),
         "cleaned", ["xattr"]),
        ("file flags", Tar().add("f", pax_headers={"SCHILY.fflags": "uchg,sappnd"}).bytes(), "cleaned", ["xattr"]),
        ("a hundred attributes", xattr(*[f"user.a{i}" for i in range(100)]), "cleaned", ["xattr"] * 36),
        ("times before and behind all time", Tar().add("a", mtime=-10 ** 10).add("b", mtime=10 ** 17).bytes(),
         "lands", None),
    ]


def lies(outside):
    good = Tar(fmt=USTAR).add("a", b"x" * 600).add("b", b"y").bytes()
    cut = {n: good[:n] for n in (512, 700, 1536, 2048, 2560)}
    rows = [(f"cut after {n} bytes", data, "refused", "truncated") for n, data in cut.items()]
    rows += [
        ("a wrong checksum in the first header", file(checksum=b"000001\0 ") + END, "refused", "format"),
        ("a wrong checksum later", file() + file(b"g", checksum=b"000001\0 ") + END, "refused", "damaged"),
        ("no checksum at all", file() + file(b"g", checksum=bytes(8)) + END, "refused", "damaged"),
        ("a negative size", block(size=big(-1)) + END, "refused", "damaged"),
        ("a negative size that skips back", file() + block(size=big(-1024)) + END, "refused", "damaged"),
        ("a size of 2^63 - 1", block(size=big(2 ** 63 - 1)) + END, "refused", "damaged"),
        ("a size of 2^64", block(size=big(2 ** 64)) + END, "refused", "damaged"),
        ("a size of an exabyte", block(size=big(2 ** 60)) + END, "refused", "too-many-bytes"),
        ("a size that is no number", block(size=b"zzzzzzzzzzz") + END, "refused", "format"),
        ("a pax size over the header's, too large", pax([(b"size", b"99999999999999")]) + file() + END,
         "refused", "too-many-bytes"),
        ("a pax size over the header's, beyond the end", pax([(b"size", b"100000")]) + file() + END,
         "refused", "truncated"),
        ("a negative pax size", pax([(b"size", b"-5")]) + file() + END, "refused", "damaged"),
        ("a pax header longer than it is", block(b"p", b"%011o" % 20, b"x") + body(b"99 path=../evil\n") + file() + END,
         "refused", "damaged"),
        ("a pax header that is no text", block(b"p", b"%011o" % 20, b"x") + body(b"\xff" * 20) + file() + END,
         "refused", "damaged"),
        ("a pax header of 4 GB", block(b"p", b"%011o" % (2 ** 32), b"x") + END, "refused", "damaged"),
        ("a long name of 4 GB", block(b"././@LongLink", b"%011o" % (2 ** 32), b"L", magic=b"ustar  \0") + END,
         "refused", "format"),
        ("a long name and no entry", gnu_long(b"x" * 200) + END, "refused", "damaged"),
        ("a thousand pax headers in a row", pax([(b"comment", b"c")]) * 1000 + file() + END, "refused", "damaged"),
        ("a kind of entry that nobody knows", block(type=b"Z") + END, "lands", None),
        ("one block of zeroes, then another entry", file() + bytes(512) + file(b"../evil") + END,
         "refused", "behind-end"),
        ("an archive behind the end mark", good + good, "refused", "behind-end"),
        ("a byte far behind the end mark", good + bytes(200000) + b"x", "refused", "behind-end"),
        ("a second gzip member with an archive of its own", gzip.compress(good) + gzip.compress(good),
         "refused", "behind-end"),
        ("a zip file behind the end mark", good + zip_of_a_file(), "refused", "behind-end"),
        ("sparse: a map that goes back", pax_sparse(4096, [(2048, 1), (0, 1)]), "refused", "damaged"),
        ("sparse: a piece beyond the size", pax_sparse(10, [(1 << 40, 1)]), "refused", "damaged"),
        ("sparse: a negative offset", pax_sparse(10, [(-5, 1)]), "refused", "damaged"),
        ("sparse: a map of a billion pieces that are not there", Tar().add("x", b"1000000000\n1\n1\n", pax_headers={
            "GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "h",
            "GNU.sparse.realsize": "9"}).bytes(), "refused", "damaged"),
        ("sparse: a name that leads out", pax_sparse(512, name="../evil"), "refused", "name-dotdot"),
        ("sparse: the old form, a piece beyond the size", old_sparse(100, 1 << 30, 512), "refused", "damaged"),
        ("a gzip stream with a bit turned", bytes(b ^ (i == 60) for i, b in enumerate(gzip.compress(good))),
         "refused", "damaged"),
        ("a gzip stream cut short", gzip.compress(os.urandom(5000) + good)[:-400], "refused", "truncated"),
        ("an xz stream cut short", lzma.compress(good)[:-30], "refused", "truncated"),
        ("a bzip2 stream cut short", bz2.compress(good)[:-20], "refused", "truncated"),
    ]
    return rows


def bombs(outside):
    gz = gz_bomb(4 << 30)
    return [
        ("4 GB of zeroes in 4 MB of gzip", gz, "refused", "expansion"),
        ("4 GB of zeroes in 11 kB: gzip of gzip", gzip.compress(gz), "refused", "format"),
        ("gzip of gzip of gzip of nothing bad", gzip.compress(gzip.compress(gzip.compress(Tar().add("f").bytes()))),
         "refused", "format"),
        ("xz of gzip", lzma.compress(gzip.compress(Tar().add("f").bytes())), "refused", "format"),
        ("a gigabyte of zeroes in 150 kB of xz", bomb(lzma.compress, 1 << 30), "refused", "expansion"),
        ("a gigabyte of zeroes in 1 kB of bzip2", bomb(bz2.compress, 1 << 30), "refused", "expansion"),
        ("4 GB of bytes that are no zeroes in 4 kB of bzip2", bomb(bz2.compress, 4 << 30, filler=b"A"),
         "refused", "expansion"),
        ("1.3 GB in 42 kB of zstd", zstd([block(b"bomb", b"%011o" % (10400 << 17))] + [(b"A", 1 << 17)] * 10400 + [END]),
         "refused", "expansion"),
        ("a zstd frame with a window of 2 GB", zstd([Tar().add("f").bytes()], window=21), "refused", "damaged"),
        ("an xz stream with a dictionary of 4 GB", xz_of_dictionary(Tar().add("f").bytes(), 40), "lands", None),
        ("a gigabyte in an entry that is left out", bomb(bz2.compress, 1 << 30, name=b".wh.x"), "refused", "expansion"),
        ("a gigabyte of zeroes behind the end", bz2.compress(Tar().add("f").bytes()) + bz2.compress(bytes(PIECE)) * 16,
         "refused", "behind-end"),
        ("a sparse file of a petabyte", pax_sparse(1 << 50), "refused", "too-many-bytes"),
        ("a sparse file of the old form of 8 GB and a bit", old_sparse(8 << 30, (8 << 30) - 512, 512), "lands", None),
        ("a thousand sparse files of 100 GB", b"".join(
            pax_sparse(100 << 30, name=f"h{i}")[:2560] for i in range(1000)) + END, "refused", "too-many-bytes"),
        ("more entries than are allowed", many(3000), "refused", "too-many-entries"),
        ("directories that only one name implies", Tar().add("/".join("abcdefghij" * 20)).bytes(),
         "lands", None),
        ("one name again and again", b"".join(
            file(b"f", b"x" * 512) for _ in range(5000)) + END, "lands", None),
    ]


def disguises(outside):
    tar = Tar().add("f", b"x").bytes()
    iso = bytearray(40000)
    iso[32768:32774] = b"\1CD001"
    iso[:10] = b"not zeroes"
    return [
        ("nothing", b"", "refused", "format"),
        ("a megabyte of noise", os.urandom(1 << 20).replace(b"\x1f\x8b", b"xx"), "refused", "format"),
        ("a zip file", zip_of_a_file(), "refused", "format"),
        ("a zip file in gzip", gzip.compress(zip_of_a_file()), "refused", "format"),
        ("a cpio archive", newc(), "refused", "format"),
        ("a cpio archive in gzip", gzip.compress(newc()), "refused", "format"),
        ("a 7z file", b"7z\xbc\xaf\x27\x1c\0\4" + bytes(600), "refused", "format"),
        ("a rar file", b"Rar!\x1a\7\1\0" + bytes(600), "refused", "format"),
        ("an ar archive", b"!<arch>\nevil/           0           0     0     644     1         `\nx\n" + bytes(600),
         "refused", "format"),
        ("an rpm package with a gzip in it", b"\xed\xab\xee\xdb\3\0" + bytes(90) + b"\x8e\xad\xe8\1" + bytes(600) +
         gzip.compress(newc()), "refused", "format"),
        ("an ISO image", bytes(iso), "refused", "format"),
        ("an mtree list", b"#mtree\n./evil type=file contents=/etc/passwd\n" * 20, "refused", "format"),
        ("a shar", b"#!/bin/sh\n# This is a shell archive\ncat > evil <<E\nx\nE\n" * 20, "refused", "format"),
        ("uuencoded tar", b"begin 644 f.tar\n" + b"M" * 61 + b"\n" + b"`\nend\n" * 90, "refused", "format"),
        ("an lzip file", b"LZIP\1\x0c" + bytes(600), "refused", "format"),
        ("an lz4 frame", b"\x04\x22\x4d\x18\x64\x40\xa7" + bytes(600), "refused", "format"),
        ("a file of compress(1)", b"\x1f\x9d\x90" + bytes(600), "refused", "format"),
        ("a web archive", b"WARC/1.0\r\nWARC-Type: resource\r\n" + b"x" * 600, "refused", "format"),
        ("a xar archive", b"xar!\0\x1c\0\1" + bytes(600), "refused", "format"),
        ("a cabinet", b"MSCF" + bytes(600), "refused", "format"),
        ("an honest zstd frame made by the same hand", zstd([Tar().add("f").bytes()]), "lands", None),
        ("a gzip header and nothing", b"\x1f\x8b\x08" + bytes(7), "refused", "truncated"),
        ("an OCI image layout", Tar().add("oci-layout", b'{"imageLayoutVersion": "1.0.0"}').add(
            "index.json", b'{"schemaVersion": 2, "manifests": []}').bytes(), "refused", "image"),
        ("an OCI image layout, blobs first", Tar().add("blobs/sha256/" + "0" * 64, gzip.compress(tar)).add(
            "index.json", b"{}").add("./oci-layout", b'{"imageLayoutVersion":"1.0.0"}').bytes(), "refused", "image"),
        ("an image of docker save", Tar().dir("a" * 64).add("a" * 64 + "/layer.tar", tar).add(
            "manifest.json", b'[{"Config":"c.json","RepoTags":["x"],"Layers":["a/layer.tar"]}]').bytes(),
         "refused", "not-there"),
        ("a docker image whose layers lead out", Tar().add(
            "manifest.json", b'[{"Config":"../../c.json","Layers":["../../../etc/passwd"]}]').bytes(),
         "refused", "name-dotdot"),
        ("an OCI layout whose digests lead out", Tar().add("oci-layout", b'{"imageLayoutVersion":"1.0.0"}').add(
            "index.json", b'{"manifests":[{"digest":"sha256:../../../../etc/passwd"}]}').bytes(), "refused", "image"),
    ]


def table(outside):
    return [(group.__name__, *row) for group in (names, links, rights, lies, disguises, bombs) for row in group(outside)]
