/* formats: see formats.h. */
#include "sandbox/files/formats.h"

#include <string.h>

#include "base/owned.h"

typedef struct Format {
        const char *mark;
        const char *name;
        unsigned short at, n; /* where the mark lies, and how long it is */
} Format;

#define MARK(AT, TEXT, NAME) \
        { .mark = (TEXT), .name = (NAME), .at = (AT), .n = sizeof(TEXT) - 1 }

static const Format formats[] = {
        MARK(0, "PK\3\4", "a zip file"),
        MARK(0, "PK\5\6", "an empty zip file"),
        MARK(0, "7z\xbc\xaf\x27\x1c", "a 7z file"),
        MARK(0, "Rar!\x1a\7", "a rar file"),
        MARK(0, "!<arch>\n", "an ar archive (a Debian package is one)"),
        MARK(0, "\xed\xab\xee\xdb", "an rpm package"),
        MARK(0, "070707", "a cpio archive"),
        MARK(0, "070701", "a cpio archive"),
        MARK(0, "070702", "a cpio archive"),
        MARK(0, "\xc7\x71", "a cpio archive"),
        MARK(0, "xar!", "a xar archive"),
        MARK(0, "MSCF", "a cabinet file"),
        MARK(0, "WARC/", "a web archive"),
        MARK(0, "#mtree", "an mtree list"),
        MARK(0, "begin ", "uuencoded text"),
        MARK(0, "begin-base64 ", "uuencoded text"),
        MARK(0, "#!", "a script (a self-unpacking archive is one)"),
        MARK(0, "LZIP", "an lzip file"),
        MARK(0, "LRZI", "an lrzip file"),
        MARK(0, "\x89LZO", "an lzop file"),
        MARK(0, "\x04\x22\x4d\x18", "an lz4 file"),
        MARK(0, "\x1f\x9d", "a file of compress(1)"),
        MARK(0, "\x1f\x8b", "a gzip file that cannot be read"),
        MARK(0, "\x5d\0\0", "an lzma file"),
        MARK(0, "hsqs", "a squashfs image"),
        MARK(0, "QFI\xfb", "a qcow disk image"),
        MARK(0,
             "\x7f"
             "ELF",
             "a program"),
        MARK(0, "{", "a JSON file"),
        MARK(1080, "\x53\xef", "an ext file system"),
        MARK(32769, "CD001", "an ISO image"),
};

const char *format_guess(const char *bytes, size_t n) {
        size_t i;

        for (i = 0; i < ELEMENTS(formats); i++) {
                const Format *format = &formats[i];

                if (format->at + (size_t) format->n <= n &&
                    memcmp(bytes + format->at, format->mark, format->n) == 0)
                        return format->name;
        }
        return NULL;
}
