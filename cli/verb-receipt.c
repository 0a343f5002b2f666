/*
 * The verb "task receipt": what a task or a verify did, as the supervisor wrote it down and its notary signed
 * it; and the check of such a receipt, for which nobody is asked.
 */
#include "cli/verb-receipt.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/fds.h"
#include "base/ids.h"
#include "base/units.h"
#include "cli/outfile.h"
#include "cli/receipt-check.h"
#include "cli/receipt-fetch.h"
#include "cli/terminal.h"

#define RECEIPT_MAX (256ul << 20)

typedef struct ReceiptOptions {
        Common common;
        const char *out;
        bool in_toto;
        const char *check;
        OptionList keys;
        const char *anchors;
        const char *patch;
} ReceiptOptions;

static const Option receipt_options[] = {
        { "out", 'o', OPTION_TEXT, offsetof(ReceiptOptions, out), "FILE",
          "Write the receipt there (JSON, one line after the other)" },
        { "in-toto", 0, OPTION_FLAG, offsetof(ReceiptOptions, in_toto), NULL,
          "Only the last signed statement: in-toto Statement v1 in a DSSE envelope" },
        { "check", 0, OPTION_TEXT, offsetof(ReceiptOptions, check), "FILE",
          "Check a receipt instead, offline ('-': stdin)" },
        { "key", 0, OPTION_LIST, offsetof(ReceiptOptions, keys), "PUB",
          "--check: a public key that may have signed (default: this host's)" },
        { "patch", 0, OPTION_TEXT, offsetof(ReceiptOptions, patch), "FILE",
          "--check: the patch that the last verdict must be about" },
        { "anchors", 0, OPTION_TEXT, offsetof(ReceiptOptions, anchors), "FILE",
          "--check: the host's list of heads, which root can read" },
        OPTIONS_COMMON,
        { 0 },
};

/* ---- showing ------------------------------------------------------------------------------------- */

/* By the kind of a line, which members of its data say most */
static const struct {
        const char *kind;
        const char *members[4];
} shown[] = {
        { "begin", { "snapshot_name", "policy_name", "workflow_name", NULL } },
        { "base", { "base", NULL } },
        { "command", { "cause", "command", "argv", NULL } },
        { "setup", { "id", "cause", NULL } },
        { "test", { "of", "id", "cause", NULL } },
        { "model", { NULL } },
        { "verdict", { "verdict", "cause", "patch", NULL } },
        { "question", { "question", "about", "step", NULL } },
        { "answer", { "question", "decision", "comment", NULL } },
        { "limit", { "limit", NULL } },
        { "end", { "state", "cause", NULL } },
};

static void show_data(const char *kind, const cJSON *data) {
        for (unsigned i = 0; i < ELEMENTS(shown); i++)
                for (unsigned k = 0; strcmp(shown[i].kind, kind) == 0 && shown[i].members[k]; k++) {
                        const char *text = json_text(data, shown[i].members[k]);

                        if (!text)
                                continue;
                        fputs("  ", stdout);
                        terminal_text(stdout, text, 60);
                }
}

static void show_line(const char *line, size_t n) {
        SCOPED(json_free) cJSON *json = NULL;
        const char *kind, *time;
        uint64_t number = 0;

        if (json_parse(line, n, 0, &json, NULL) < 0)
                return;
        kind = json_text(json, "kind");
        time = json_text(json, "time");
        if (!kind || !time) {
                puts("      signed");
                return;
        }
        (void) json_number(json, "n", &number);
        printf("%4llu  ", (unsigned long long) number);
        terminal_text(stdout, time, 32);
        putchar(' ');
        terminal_text(stdout, kind, 16);
        show_data(kind, json_get(json, "data"));
        putchar('\n');
}

static void show_all(const char *text) {
        while (*text) {
                size_t n = strcspn(text, "\n");

                show_line(text, n);
                text += n + (text[n] == '\n');
        }
}

/* As --check counts them: the file has both */
static void show_counts(const cJSON *info) {
        char line_count[UNITS_TEXT_MAX], signature_count[UNITS_TEXT_MAX];
        uint64_t lines = 0, is_signed = 0, signatures = 0;

        (void) json_number(info, "lines", &lines);
        (void) json_number(info, "signed", &is_signed);
        (void) json_number(info, "signatures", &signatures);
        fprintf(stderr, "%s, %s", units_format_count(lines, "line", line_count),
                units_format_count(signatures, "signature", signature_count));
        if (signatures > 0)
                fprintf(stderr, ", the last of line %llu", (unsigned long long) is_signed);
        if (!json_true(info, "ended"))
                fputs("; it has not ended", stderr);
}

/* Whose signature it is, and what is missing, on stderr: stdout may be a file */
static void show_info(const cJSON *info) {
        const char *key = json_text(info, "key"), *fault = json_text(info, "fault");

        show_counts(info);
        if (key) {
                fputs("; the host's key is ", stderr);
                terminal_text(stderr, key, 80);
        }
        fputc('\n', stderr);
        if (fault) {
                fprintf(stderr, "%snot signed:%s ", terminal_tone(TONE_WARN),
                        terminal_tone(TONE_PLAIN));
                terminal_text(stderr, fault, 400);
                fputc('\n', stderr);
        }
}

/* ---- the verb ------------------------------------------------------------------------------------ */

/* The last line that is an envelope; NULL: nothing is signed. Cuts @text */
static char *last_envelope(char *text) {
        char *found = NULL;

        for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
                if (strncmp(line, "{\"payload\"", 10) == 0)
                        found = line;
        return found;
}

static int give(const ReceiptOptions *options, char *text, const cJSON *info, Error *err) {
        if (options->in_toto) {
                text = last_envelope(text);
                if (!text)
                        return error_say(err, -ENODATA, "Nothing of this receipt is signed%s%s.",
                                         json_text(info, "fault") ? ": " : "",
                                         json_text(info, "fault") ? json_text(info, "fault") : "");
        }
        if (options->out)
                return outfile_write(options->out, text, options->in_toto, err);
        if (options->in_toto || options->common.json)
                (void) fputs(text, stdout);
        else
                show_all(text);
        if (options->in_toto)
                putchar('\n');
        return fflush(stdout) == 0 ? 0 : error_set(err, -errno, "write to stdout");
}

static int fetch(const ReceiptOptions *options, const char *id, Error *err) {
        SCOPED(json_free) cJSON *info = NULL;
        autofree char *text = NULL;
        autoclose int fd = -EBADF;
        Link link = LINK_EMPTY;
        size_t n = 0;
        int r = link_open(&link, options->common.socket, err);

        if (r < 0)
                return r;
        r = receipt_fetch(&link, id, &fd, &info, err);
        link_deinit(&link);
        if (r < 0)
                return r;
        r = fd_read_all(fd, RECEIPT_MAX, &text, &n);
        if (r < 0)
                return error_set(err, r, "read the receipt");
        r = give(options, text, info, err);
        if (r == 0)
                show_info(info);
        return r;
}

static int usage(Error *err, const char *text) {
        (void) error_say(err, -EINVAL, "%s", text);
        return VERB_E_USAGE;
}

static int no_id(const char *word, Error *err) {
        if (!word)
                return usage(err,
                             "Name one task or verify, by its id: 'warder task list' lists tasks.");
        (void) error_say(err, -EINVAL,
                         "'%.80s' is no id of a task or a verify: 'warder task list' lists tasks.",
                         word);
        return VERB_E_USAGE;
}

static int run(const VerbCall *call, Error *err) {
        const ReceiptOptions *options = call->options;
        ReceiptCheck check = { options->check, options->keys, options->anchors, options->patch,
                               options->common.json };
        const char *id = call->n_words == 1 ? call->words[0] : NULL;

        if (options->check && (call->n_words > 0 || options->out || options->in_toto))
                return usage(err,
                             "--check FILE looks at a file: give it no task, --out or --in-toto.");
        if (options->check) {
                int r = receipt_check(&check, err);

                return r < 0 ? EXIT_NOT_CARRIED_OUT : r;
        }
        if (options->keys.n > 0 || options->anchors || options->patch)
                return usage(err, "--key, --anchors and --patch belong to --check FILE.");
        if (!id || (!id_is_valid('t', id) && !id_is_valid('v', id)))
                return no_id(id, err);
        return fetch(options, id, err);
}

const Verb verb_task_receipt = {
        .name = "task receipt",
        .summary = "what a task or verify did, line by line and signed; or check such a receipt",
        .synopsis = "TASK | --check FILE",
        .text = "Each line names the SHA-256 of the one before it; at each verdict and at the end "
                "the\n"
                "host's key signs the last. --check needs no supervisor: it says in which line a\n"
                "receipt was changed, reordered, cut or mixed with another.",
        .examples = "  warder task receipt t-7f3kq2m4ab --out receipt.jsonl\n"
                    "  warder task receipt --check receipt.jsonl --key host.pub --patch fix.diff\n"
                    "  warder task receipt t-7f3kq2m4ab --in-toto >attestation.json",
        .exits = "  0    done; --check: it is good\n"
                 "  1    refused or failed; --check: it is not good: the message says where\n"
                 "  2    wrong usage\n"
                 "  6    --check: the receipt, a key or a list could not be read\n",
        .options = receipt_options,
        .size = sizeof(ReceiptOptions),
        .exit_usage = EXIT_USAGE,
        .exit_failed = 1,
        .run = run,
};
