/* egress: see egress.h. */
#include "base/egress.h"

#include <string.h>
#include <strings.h>

bool egress_is_allowed(const char *list, const char *word) {
        size_t n = strlen(word);

        while (*list) {
                size_t part = strcspn(list, ",");

                if (part == n && strncasecmp(list, word, n) == 0)
                        return true;
                list += part + (list[part] == ',');
        }
        return false;
}
