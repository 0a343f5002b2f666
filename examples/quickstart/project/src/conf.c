/*
 * conf: "name = value" lines.
 */
#include <string.h>

#include "shelf.h"

#define LINE_BYTES 256

static int read_line(char *line, ConfFn each, void *userdata) {
        char *hash = strchr(line, '#'), *equals;

        if (hash)
                *hash = 0;
        line = text_trim(line);
        if (!*line)
                return 0;
        equals = strchr(line, '=');
        if (!equals || equals == line)
                return -1;
        *equals = 0;
        each(text_trim(line), text_trim(equals + 1), userdata);
        return 0;
}

unsigned conf_read(const char *text, ConfFn each, void *userdata) {
        for (unsigned number = 1; *text; number++) {
                char line[LINE_BYTES];
                size_t n = strcspn(text, "\n");

                if (n >= sizeof(line))
                        return number;
                memcpy(line, text, n);
                line[n] = 0;
                if (read_line(line, each, userdata) < 0)
                        return number;
                text += n;
                if (*text == '\n')
                        text++;
        }
        return 0;
}
