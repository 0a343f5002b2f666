/* digest: values of FIPS 180-4's examples, and the exact text form. */
#include "base/digest.h"

#include <errno.h>

#include "base/fds.h"
#include "tests/tap.h"

#define ABC   "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define EMPTY "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static void bad_texts(void) {
        uint8_t value[DIGEST_SIZE];
        char text[] = ABC;

        is_number(digest_parse(NULL, value), -EINVAL, "no text");
        is_number(digest_parse("", value), -EINVAL, "an empty text");
        is_number(digest_parse(ABC "0", value), -EINVAL, "a digit too many");
        is_number(digest_parse(&ABC[1], value), -EINVAL, "another prefix");
        text[70] = 0;
        is_number(digest_parse(text, value), -EINVAL, "a digit too few");
        text[70] = 'D';
        is_number(digest_parse(text, value), -EINVAL, "upper case");
        text[70] = '/';
        is_number(digest_parse(text, value), -EINVAL, "a slash");
}

static void known_values(void) {
        uint8_t value[DIGEST_SIZE], back[DIGEST_SIZE];
        char text[DIGEST_TEXT_MAX];

        digest_of("abc", 3, value);
        is_text(digest_format(value, text), ABC, "of abc");
        is_number(digest_parse(text, back), 0, "reads back");
        ok(memcmp(value, back, sizeof(value)) == 0, "the same value");
        digest_of("", 0, value);
        is_text(digest_format(value, text), EMPTY, "of nothing");
}

static void in_parts(void) {
        SCOPED(digest_free) Digest *digest = NULL;
        uint8_t value[DIGEST_SIZE];
        char text[DIGEST_TEXT_MAX];

        if (!ok(digest_new(&digest) == 0, "a state"))
                return;
        digest_add(digest, "a", 1);
        digest_add(digest, "bc", 2);
        digest_end(digest, value);
        is_text(digest_format(value, text), ABC, "in parts");
        digest_end(digest, value);
        is_text(digest_format(value, text), EMPTY, "the state starts afresh");
}

static void of_files(void) {
        autoclose int fd = memfd_sealed("file", "abc", 3, false, NULL);
        Error err = ERROR_EMPTY;
        uint8_t value[DIGEST_SIZE];
        char text[DIGEST_TEXT_MAX], byte;

        is_number(digest_of_fd(-1, value, &err), -EBADF, "no file");
        is_number(read(fd, &byte, 1), 1, "the offset is moved");
        is_number(digest_of_fd(fd, value, &err), 0, "a file, from its start");
        is_text(digest_format(value, text), ABC, "has its value");
}

int main(void) {
        bad_texts();
        known_values();
        in_parts();
        of_files();
        return tap_end();
}
