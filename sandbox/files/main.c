/*
 * warder-files: the program that reads what strangers wrote: archives, trees, patches, test output. It runs
 * as a command of a jail of its own, as id 0 of that jail with CHOWN, DAC_OVERRIDE and FOWNER, and is
 * trusted with nothing but the views of that jail. It works on fd 0, fd 1 and the fixed places below, says
 * what it found as records on fd 2, and ends: 0 where RECORD_DONE was written, 1 where a record says why
 * not, 2 for arguments that are wrong.
 *
 * Place     what it is
 * /out      a layer that is being made (unpack, save)
 * /upper    the raw upper of another jail, read-only (save, changes, diff, merge)
 * /old      the merged base, read-only (changes, diff, merge, apply); of an image, the layers so far (unpack --blob, user); a layer
 *           as it lies in the store (check)
 * /new      the merged tree after the work, read-only (diff, merge)
 * /tree     the base with a writable upper (apply), our side (merge), any tree (search, pack), or a container image as it
 *           was brought (unpack --blob, text)
 * /tmp      room to work in (change)
 *
 * One process does one job, and what it keeps is freed by its end at the latest.
 */
#include <errno.h>
#include <locale.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>

#include "base/options.h"
#include "base/owned.h"
#include "base/sanitizer.h"
#include "sandbox/files/report.h"
#include "sandbox/files/verbs-jail.h"
#include "sandbox/files/verbs.h"

/* It would say on fd 2, among the records, that a jail refuses ptrace */
SANITIZER_WITHOUT_LEAK_CHECK

typedef struct VerbRow {
        const char *name;
        const Option *options;
        int min_words;
        int max_words;
        bool text; /* it reads archives, whose names of pax headers come as UTF-8, or lines as people see them */
        int (*run)(const VerbArgs *args, Report *report, Error *err);
} VerbRow;

#define OPTION_ROOT                                                         \
        {                                                                   \
                "root", 0, OPTION_TEXT, offsetof(VerbArgs, root), "DIR",    \
                        "look for the fixed places beneath DIR (for tests)" \
        }

static const Option layer_options[] = {
        { "prefix", 0, OPTION_TEXT, offsetof(VerbArgs, prefix), "DIR",
          "land beneath DIR of the layer" },
        { "max-bytes", 0, OPTION_NUMBER, offsetof(VerbArgs, max_bytes), "N",
          "most bytes of all files" },
        { "max-entries", 0, OPTION_NUMBER, offsetof(VerbArgs, max_entries), "N", "most entries" },
        { "max-disk", 0, OPTION_NUMBER, offsetof(VerbArgs, max_disk), "N",
          "most bytes on disk, with 4096 for each entry; 0: any" },
        { "image", 0, OPTION_FLAG, offsetof(VerbArgs, takes_image), NULL,
          "a container image may come in the place of a tree" },
        { "held", 0, OPTION_FLAG, offsetof(VerbArgs, held), NULL,
          "it will lie above a tree: all is id 0's, directories can be written to by all" },
        { "blob", 0, OPTION_TEXT, offsetof(VerbArgs, blob), "FILE",
          "unpack this layer of the image in /tree" },
        { "over", 0, OPTION_FLAG, offsetof(VerbArgs, over), NULL,
          "over the layers in /old; save: with the layer in /old, over what is in /tree" },
        { "trim", 0, OPTION_FLAG, offsetof(VerbArgs, trim), NULL,
          "save: /tree is all that lies below, marks that hide nothing of it are left out" },
        { "digest", 0, OPTION_TEXT, offsetof(VerbArgs, digest), "DIGEST", "of the blob" },
        { "diff", 0, OPTION_TEXT, offsetof(VerbArgs, diff), "DIGEST",
          "of what the blob unpacks to" },
        { "size", 0, OPTION_NUMBER, offsetof(VerbArgs, size), "N", "bytes of the blob" },
        { "packing", 0, OPTION_TEXT, offsetof(VerbArgs, packing), "NAME",
          "how the blob is packed: none, gzip or zstd" },
        { "read-before", 0, OPTION_NUMBER, offsetof(VerbArgs, read_before), "N",
          "bytes of earlier blobs" },
        { "grown-before", 0, OPTION_NUMBER, offsetof(VerbArgs, grown_before), "N",
          "bytes that they unpacked to" },
        { "owner", 0, OPTION_NUMBER, offsetof(VerbArgs, owner), "ID",
          "everything belongs to this user and group, whatever the archive says" },
        OPTION_ROOT,
        { 0 },
};

static const Option changes_options[] = {
        { "prefix", 0, OPTION_TEXT, offsetof(VerbArgs, prefix), "DIR", "name all paths below DIR" },
        { "covered", 0, OPTION_LIST, offsetof(VerbArgs, covered), "NAME",
          "a name of the root where something else is mounted" },
        { "host", 0, OPTION_FLAG, offsetof(VerbArgs, host), NULL,
          "what lies below is the host's root, as ours is" },
        OPTION_ROOT,
        { 0 },
};

static const Option pack_options[] = {
        { "layer", 0, OPTION_FLAG, offsetof(VerbArgs, layer), NULL,
          "/tree is one layer: whiteouts become those of a container image" },
        { "measure", 0, OPTION_FLAG, offsetof(VerbArgs, measure), NULL,
          "write nothing, only say size and digest of a layer's archive" },
        { "blob", 0, OPTION_TEXT, offsetof(VerbArgs, blob), "FILE",
          "the layer's archive is this file of an archive" },
        { "size", 0, OPTION_NUMBER, offsetof(VerbArgs, size), "N", "that the blob must have" },
        { "digest", 0, OPTION_TEXT, offsetof(VerbArgs, digest), "DIGEST", "likewise" },
        { "tail", 0, OPTION_FLAG, offsetof(VerbArgs, tail), NULL,
          "the end of an image: texts on fd 0, as \"PATH SIZE\", a line, and so many bytes" },
        OPTION_ROOT,
        { 0 },
};

static const Option apply_options[] = {
        { "protect", 0, OPTION_LIST, offsetof(VerbArgs, protect), "GLOB",
          "put these files of the base back" },
        { "allow", 0, OPTION_LIST, offsetof(VerbArgs, allow), "GLOB",
          "let these dangerous names be added" },
        { "setup", 0, OPTION_FLAG, offsetof(VerbArgs, setup), NULL,
          "nothing may be added over what /new holds" },
        { "rules", 0, OPTION_LIST, offsetof(VerbArgs, rules), "GLOB",
          "of these files, what is no test but says how tests are run" },
        { "part", 0, OPTION_TEXT, offsetof(VerbArgs, part), "PART",
          "apply its tests alone (tests), or all but what it changes in old ones (old-tests)" },
        { "without", 0, OPTION_NUMBER, offsetof(VerbArgs, without), "N",
          "leave hunk N of the change out" },
        { "list-hunks", 0, OPTION_NUMBER, offsetof(VerbArgs, list_hunks), "N",
          "tell of the first N hunks and of all tests" },
        { "at", 0, OPTION_NUMBER, offsetof(VerbArgs, at), "BYTE",
          "the patch begins at this byte of fd 0, whose position stays" },
        { "remark", 0, OPTION_FLAG, offsetof(VerbArgs, remark), NULL,
          "say what is to be said about the patch without running it" },
        { "scope", 0, OPTION_LIST, offsetof(VerbArgs, scope), "GLOB",
          "with --remark: name what is changed outside of these files" },
        { "check-only", 0, OPTION_FLAG, offsetof(VerbArgs, check_only), NULL, "write nothing" },
        { "shielded", 0, OPTION_FLAG, offsetof(VerbArgs, shielded), NULL,
          "the base's shield lies under /tree, and fd 1 is the listing that came with it" },
        OPTION_ROOT,
        { 0 },
};

static const Option shield_options[] = {
        { "protect", 0, OPTION_LIST, offsetof(VerbArgs, protect), "GLOB", "hold these files" },
        { "allow", 0, OPTION_LIST, offsetof(VerbArgs, allow), "GLOB", "but not these" },
        { "max-bytes", 0, OPTION_NUMBER, offsetof(VerbArgs, max_bytes), "N",
          "most bytes of all files" },
        { "max-entries", 0, OPTION_NUMBER, offsetof(VerbArgs, max_entries), "N", "most entries" },
        { "max-disk", 0, OPTION_NUMBER, offsetof(VerbArgs, max_disk), "N",
          "most bytes on disk, with 4096 for each entry; 0: any" },
        OPTION_ROOT,
        { 0 },
};

static const Option key_options[] = {
        { "key", 0, OPTION_LIST, offsetof(VerbArgs, keys), "GLOB", "files that setup depends on" },
        { "setup", 0, OPTION_FLAG, offsetof(VerbArgs, setup), NULL,
          "name what setup's layer in /new would hide" },
        OPTION_ROOT,
        { 0 },
};

static const Option search_options[] = {
        { "glob", 0, OPTION_TEXT, offsetof(VerbArgs, glob), "GLOB",
          "grep: only in files of this name" },
        { "ignore-case", 0, OPTION_FLAG, offsetof(VerbArgs, ignore_case), NULL,
          "grep: case does not count" },
        OPTION_ROOT,
        { 0 },
};

static const Option text_options[] = {
        { "max-bytes", 0, OPTION_NUMBER, offsetof(VerbArgs, max_bytes), "N", "most bytes" },
        OPTION_ROOT,
        { 0 },
};

static const Option results_options[] = {
        { "report", 0, OPTION_LIST, offsetof(VerbArgs, reports), "GLOB",
          "read these files below /upper/work, not fd 0" },
        { "since", 0, OPTION_NUMBER, offsetof(VerbArgs, since), "NSEC",
          "those alone that were written since then" },
        { "wait", 0, OPTION_FLAG, offsetof(VerbArgs, wait), NULL,
          "with --report: begin when fd 0 has ended" },
        OPTION_ROOT,
        { 0 },
};

static const Option change_options[] = {
        { "names", 0, OPTION_FLAG, offsetof(VerbArgs, names_only), NULL,
          "fd 0 is the patch alone: only say which paths it touches" },
        OPTION_ROOT,
        { 0 },
};

static const Option check_options[] = {
        { "since", 0, OPTION_NUMBER, offsetof(VerbArgs, since), "NSEC",
          "name what was changed later than that" },
        OPTION_ROOT,
        { 0 },
};

static const Option plain_options[] = { OPTION_ROOT, { 0 } };

static const VerbRow verbs[] = {
        { "save", layer_options, 0, 0, true, verb_save },
        { "search", search_options, 2, 3, true, verb_search },
        { "unpack", layer_options, 0, 0, true, verb_unpack },
        { "apply", apply_options, 1, 1, false, verb_apply },
        { "change", change_options, 0, 0, true, verb_change },
        { "check", check_options, 0, 0, true, verb_check },
        { "changes", changes_options, 0, 0, false, verb_changes },
        { "diff", plain_options, 1, 1, false, verb_diff },
        { "merge", plain_options, 1, 1, true, verb_merge },
        { "pack", pack_options, 0, 0, false, verb_pack },
        { "text", text_options, 1, 1, true, verb_text },
        { "user", plain_options, 1, 1, true, verb_user },
        { "key", key_options, 1, 1, false, verb_key },
        { "shield", shield_options, 1, 1, false, verb_shield },
        { "results", results_options, 1, 1, false, verb_results },
};

static int parse(int argc, char **argv, const VerbRow **ret_row, VerbArgs *args, Error *err) {
        const VerbRow *row = NULL;
        int rest = 0, r;
        size_t i;

        for (i = 0; argc > 1 && i < ELEMENTS(verbs); i++)
                if (strcmp(argv[1], verbs[i].name) == 0)
                        row = &verbs[i];
        if (!row)
                return error_say(err, -EINVAL, "no such job: %s",
                                 argc > 1 ? argv[1] : "(none given)");
        r = options_parse(row->options, argc - 1, argv + 1, false, args, &rest, err);
        if (r < 0)
                return r;
        args->words = argv + 1 + rest;
        args->n_words = argc - 1 - rest;
        if (args->n_words < row->min_words || args->n_words > row->max_words)
                return error_say(err, -EINVAL, "%s takes %d to %d words, not %d", row->name,
                                 row->min_words, row->max_words, args->n_words);
        *ret_row = row;
        return 0;
}

int main(int argc, char **argv) {
        VerbArgs args = VERB_ARGS_DEFAULT;
        static char room[REPORT_ROOM];
        Report report = REPORT_EMPTY(STDERR_FILENO);
        Error err = ERROR_EMPTY;
        const VerbRow *row = NULL;
        int r = parse(argc, argv, &row, &args, &err);

        if (r < 0) {
                (void) report_end(&report, r, &err);
                return 2;
        }
        report.room = room;
        (void) umask(0);
        if (row->text)
                (void) setlocale(LC_CTYPE, "C.UTF-8");
        r = row->run(&args, &report, &err);
        return report_end(&report, r, &err) < 0 ? 1 : 0;
}
