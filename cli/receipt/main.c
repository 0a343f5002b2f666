/*
 * warder-receipt: checks a receipt, offline, and says on stdout in JSON what it found; "warder task receipt
 * --check" starts it and shows that to people.
 *
 * Exit codes: 0 it is good, 1 it is not, 2 it could not be looked at.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/fds.h"
#include "base/options.h"
#include "cli/receipt/anchors.h"
#include "cli/receipt/check.h"

#define RECEIPT_MAX (256ul << 20)
#define EXIT_BAD    1
#define EXIT_UNABLE 2

typedef struct Options {
        OptionList keys;
        const char *anchors;
        const char *patch;
        bool help;
} Options;

static const Option options_table[] = {
        { "key", 0, OPTION_LIST, offsetof(Options, keys), "FILE", "A public key that may sign" },
        { "anchors", 0, OPTION_TEXT, offsetof(Options, anchors), "FILE",
          "The host's list of heads" },
        { "patch", 0, OPTION_TEXT, offsetof(Options, patch), "FILE",
          "The patch that the last verdict must be about" },
        { "help", 'h', OPTION_FLAG, offsetof(Options, help), NULL, "Show this text" },
        { 0 },
};

static int check_patch(const Check *check, const char *path, Error *err) {
        autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
        const char *want = json_text(check->verdict, "patch");
        uint8_t digest[DIGEST_SIZE];
        char text[DIGEST_TEXT_MAX];
        int r = fd < 0 ? error_set(err, -errno, "open the patch") : digest_of_fd(fd, digest, err);

        if (r < 0)
                return r;
        if (want && strcmp(want, digest_format(digest, text)) == 0)
                return 0;
        return error_say(err, -EBADMSG,
                         "the last verdict is about %s, the patch that was given is %s",
                         want ? want : "no patch", digest_format(digest, text));
}

static int read_receipt(const char *path, char **ret, size_t *ret_n, Error *err) {
        autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
        int r = fd < 0 ? -errno : fd_read_all(fd, RECEIPT_MAX, ret, ret_n);

        return r < 0 ? error_set(err, r, "read the receipt") : 0;
}

static int look(const Options *options, const char *path, Check *check, Keys *keys, Error *err) {
        autofree char *text = NULL;
        size_t n = 0;
        int r = read_receipt(path, &text, &n, err);

        for (unsigned i = 0; r == 0 && i < options->keys.n; i++)
                r = keys_add(keys, options->keys.items[i], err);
        if (r == 0)
                r = check_text(check, text, n, err);
        if (r < 0)
                return r;
        check->at = 0; /* what follows is about no line */
        if (options->patch)
                r = check_patch(check, options->patch, err);
        if (r == 0 && options->anchors)
                r = anchors_check(check, options->anchors, err);
        return r;
}

static void tell(const Check *check, int r, const Error *err) {
        SCOPED(json_free) cJSON *json = cJSON_CreateObject();
        const char *verdict = json_text(check->verdict, "verdict");
        autofree char *text = NULL;

        json_add_bool(json, "good", r == 0);
        if (r < 0)
                json_add_text(json, "fault", err->text);
        if (r == -ENOKEY)
                json_add_bool(json, "unknown_key", true);
        if (r < 0 && check->at > 0)
                json_add_number(json, "line", check->at);
        json_add_text(json, "receipt", check->subject);
        json_add_number(json, "lines", check->lines);
        json_add_number(json, "signatures", check->signatures);
        json_add_text(json, "key", check->key[0] ? check->key : NULL);
        json_add_text(json, "state", check->has_ended ? check->state : NULL);
        json_add_text(json, "verdict", verdict);
        json_add_text(json, "patch", json_text(check->verdict, "patch"));
        text = json_print(json);
        if (text)
                puts(text);
}

int main(int argc, char **argv) {
        Options options = { 0 };
        Error err = ERROR_EMPTY;
        Keys keys = { 0 };
        Check check;
        int rest = 0, r;

        if (options_parse(options_table, argc, argv, false, &options, &rest, &err) < 0 ||
            options.help || argc - rest != 1) {
                autofree char *help = options_help(options_table);

                fprintf(stderr, "%s%susage: warder-receipt [OPTION…] FILE\n%s", err.text,
                        err.text[0] ? "\n" : "", help ? help : "");
                return options.help ? 0 : EXIT_UNABLE;
        }
        check_init(&check, &keys);
        r = look(&options, argv[rest], &check, &keys, &err);
        tell(&check, r, &err);
        check_deinit(&check);
        keys_deinit(&keys);
        if (r == 0)
                return 0;
        return r == -EBADMSG || r == -ENOKEY ? EXIT_BAD : EXIT_UNABLE;
}
