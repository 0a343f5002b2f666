#pragma once
/*
 * record: how warder-files answers: a stream of records of bounded size that a reader can check before
 * it believes anything. Native byte order: both ends are one build on one host. A reader must treat
 * every byte as hostile: the process that wrote it has read hostile archives.
 */
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"

#define RECORD_DATA_MAX 8192

#define LAYER_ENTRY_BYTES 4096u /* what an entry of a layer is charged beside its content */

typedef struct RecordHead {
        uint16_t kind; /* RecordKind */
        uint16_t size; /* of the data that follows, <= RECORD_DATA_MAX */
        uint32_t flags;
        uint64_t a; /* numbers whose meaning the kind gives */
        uint64_t b;
} RecordHead;

typedef enum RecordKind {
        RECORD_PROGRESS = 1, /* a: bytes read, b: entries */
        RECORD_NOTE, /* flags: RecordRule; data: path, NUL, sentence. Something was cleaned */
        RECORD_REFUSED, /* flags: RecordRule; data: path, NUL, sentence. The job failed because of it */
        RECORD_FAILED,    /* data: sentence. The job failed for a reason of the host */
        RECORD_DIGEST,    /* flags: DigestOf; data: 32 bytes of SHA-256 */
        RECORD_TOTALS,    /* a: bytes, b: entries */
        RECORD_PATH,      /* flags: PathChange; a: new mode; data: path */
        RECORD_RESTORED,  /* flags: PathChange that was undone; data: path (protected file) */
        RECORD_DANGEROUS, /* data: path that a patch added though it is dangerous-but-absent */
        RECORD_NEW_TEST,  /* data: path of a new file that matches protect */
        RECORD_TEST,      /* flags: TestStatus; data: name */
        RECORD_COUNTS, /* a: passed << 32 | failed, b: skipped << 32 | planned (UINT32_MAX: no plan) */
        RECORD_MATCH, /* a: line number (0: a path of a glob); data: path, NUL, line */
        RECORD_DONE, /* last record of a job that succeeded; flags: 1 where results were cut; a, b: reports read, and too old */
        RECORD_IMAGE, /* flags: ImageForms; a: bytes, b: entries. /out holds a container image, no tree */
        RECORD_TEXT,  /* a: offset, b: size of the whole; data: a piece of a file's text */
        RECORD_GROWN, /* a: bytes that were read, b: bytes that they unpacked to */
        RECORD_USER,  /* a: user id, b: group id */
        RECORD_CHANGE, /* flags: PathChange; a: mode; data: path. On fd 1 of "change": b raw bytes follow */
        RECORD_HUNK, /* flags: HunkKind; a: number, from 1, b: line << 32 | lines; data: path */
        RECORD_TEST_FILE, /* flags: PathChange; data: path of a test that the patch adds or changes */
        RECORD_WHY, /* flags: TestWhy; data: name of a test, mostly one that was told as failed */
        RECORD_CONFLICT, /* flags: ConflictKind; a: mode of what is left; data: path */
        RECORD_REMARK, /* flags: RemarkCheck; b: line of the new file, 0: the whole; data: path, NUL, sentence */
        _RECORD_KIND_MAX,
} RecordKind;

typedef enum DigestOf { DIGEST_LAYER = 1, DIGEST_PATCH, DIGEST_TREE } DigestOf;
typedef enum PathChange { PATH_ADDED = 1, PATH_MODIFIED, PATH_DELETED, PATH_MODE } PathChange;
typedef enum ImageForms { IMAGE_LAYOUT = 1, IMAGE_DOCKER = 2 } ImageForms; /* both are possible */
typedef enum HunkKind {                /* what can be taken out of a patch alone */
                        HUNK_TEXT = 1, /* lines of a file; of all others the whole file */
                        HUNK_ADDED,
                        HUNK_DELETED,
                        HUNK_RENAMED,
                        HUNK_MODE,
                        HUNK_BINARY,
                        _HUNK_KIND_MAX,
} HunkKind;
typedef enum ConflictKind { /* of a three-way merge, and what is left at the path */
                            CONFLICT_NONE = 0,
                            CONFLICT_CONTENT,        /* both changed the same lines: marked up */
                            CONFLICT_BOTH_ADDED,     /* likewise, without a common base */
                            CONFLICT_OURS_DELETED,   /* theirs changed it, and is left */
                            CONFLICT_THEIRS_DELETED, /* ours changed it, and is left */
                            CONFLICT_BINARY,         /* no lines to merge: ours is left */
                            CONFLICT_LINK,           /* two targets: ours is left */
                            CONFLICT_TYPE,           /* a file here, a link there: ours is left */
                            CONFLICT_MODE,           /* executable or not: ours' mode is left */
                            CONFLICT_DIRECTORY,      /* a file where a directory is: ours is left */
                            _CONFLICT_KIND_MAX,
} ConflictKind;
typedef enum RemarkCheck { /* what is said about a patch without running it */
                           REMARK_NONE = 0,
                           REMARK_SECRET,  /* a token or a private key in an added line */
                           REMARK_ENTROPY, /* what looks like one, by its name and its disorder */
                           REMARK_SET_ID, /* an added line that gives set-id bits or capabilities */
                           REMARK_NETWORK, /* an added line that reaches for a network: advice */
                           REMARK_LOCK,    /* a lock file changed without its manifest */
                           REMARK_SCOPE,   /* a path outside of what the task may touch */
                           REMARK_LINK,    /* a symbolic link, or another target of one */
                           REMARK_RUNS,    /* a file that runs, or says what runs, by itself */
                           _REMARK_CHECK_MAX,
} RemarkCheck;
typedef enum TestWhy {
        WHY_UNKNOWN = 0, /* the runner does not say */
        WHY_ASSERTION,   /* what the test looked at is not as it should be */
        WHY_EXCEPTION,   /* the code under test failed in another way */
        WHY_BROKEN, /* the test could not do its work: a missing import, a syntax error, a fixture */
        _TEST_WHY_MAX,
} TestWhy;
typedef enum TestStatus { TEST_PASSED = 1, TEST_FAILED, TEST_SKIPPED } TestStatus;

typedef struct Record {
        RecordHead head;
        char data[RECORD_DATA_MAX + 1]; /* terminated by a 0 that is not counted */
} Record;

/** record_next() - take one whole record off @buf. Returns: 1, 0 where more bytes are needed, -EBADMSG */
int record_next(Buf *buf, Record *ret_record);

#define RECORD_MAX (sizeof(RecordHead) + RECORD_DATA_MAX)

/**
 * record_encode() - one record as it is written; data above RECORD_DATA_MAX is cut
 * @bytes: room for RECORD_MAX
 *
 * Returns: how many bytes it has.
 */
size_t record_encode(const RecordHead *head, const void *data, size_t n, char *bytes);
/** record_write() - write one record to @fd; data above RECORD_DATA_MAX is cut. Returns: 0 or negative errno */
int record_write(int fd, const RecordHead *head, const void *data, size_t n);
