/*
 * wrap: makes a program of agent.py, which it has in itself. An agent is executed from memory, where a script has no name
 * that its interpreter could open; and its jail sees the host's /usr only.
 *
 *     cc -o warder-agent wrap.c
 */
#include <unistd.h>

__asm__(".section .rodata\n"
        "script: .incbin \"agent.py\"\n"
        "        .byte 0\n"
        ".text\n");
extern const char script[];

int main(void) {
        (void) execl("/usr/bin/python3", "python3", "-B", "-c", script, (char *) 0);
        return 127;
}
