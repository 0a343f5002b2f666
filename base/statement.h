#pragma once
/*
 * statement: what is signed about a receipt: an in-toto Statement v1 in a DSSE envelope (warder-receipt(5)).
 * Made from fields of fixed size, so that who signs it reads no JSON.
 */
#include <stdbool.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/ids.h"
#include "base/signing.h"

#define STATEMENT_TYPE      "https://in-toto.io/Statement/v1"
#define STATEMENT_PREDICATE "urn:warder:receipt:1"
#define ENVELOPE_TYPE       "application/vnd.in-toto+json"
#define STATEMENT_WORD_MAX  20   /* of a state or a verdict, with its NUL */
#define STATEMENT_TEXT_MAX  1536 /* of the statement, with its NUL */
#define ENVELOPE_TEXT_MAX   3072

typedef enum StatementDigest { /* sorted as the predicate's members are */
                               STATEMENT_PATCH = 0,
                               STATEMENT_POLICY,
                               STATEMENT_SNAPSHOT,
                               STATEMENT_SPEC,
                               STATEMENT_TREE,
                               _STATEMENT_DIGEST_MAX,
} StatementDigest;

typedef struct Statement {
        char subject[ID_MAX];             /* the task or verify */
        char state[STATEMENT_WORD_MAX];   /* of a task; of a verify: "running", then "ended" */
        char verdict[STATEMENT_WORD_MAX]; /* the last one; "": none yet */
        uint64_t lines;                   /* that the head binds */
        uint64_t anchor;                  /* number in the host's list of heads */
        uint64_t time_usec;               /* since 1970: when it was signed */
        uint8_t head[DIGEST_SIZE];        /* SHA-256 of the last line */
        uint32_t present;                 /* BIT(StatementDigest) */
        uint32_t pad;
        uint8_t digests[_STATEMENT_DIGEST_MAX][DIGEST_SIZE];
} Statement;

/** statement_digest_name() - "patch": the member of the predicate */
const char *statement_digest_name(StatementDigest which);
/** statement_is_valid() - are its words words: lower case letters and '_', the subject an id */
bool statement_is_valid(const Statement *statement);
/** statement_text() - its canonical JSON into @text of STATEMENT_TEXT_MAX. Returns: bytes, or -EINVAL, -ENOBUFS */
int statement_text(const Statement *statement, char *text);
/** statement_signed_bytes() - what DSSE signs for @text ("PAE"); appended to @buf */
int statement_signed_bytes(const char *text, size_t n, Buf *buf);
/** envelope_text() - the DSSE envelope, one line of canonical JSON, into @text of ENVELOPE_TEXT_MAX. Returns: 0, -ENOBUFS */
int envelope_text(const char *statement, const char *key, const uint8_t *signature, char *text);
