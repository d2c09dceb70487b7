/* A transcript as lines of words, read by replay.c. */
#ifndef REPLAY_H
#define REPLAY_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_WORDS 8

typedef struct line {
    char *words[MOST_WORDS];
    int count;
} line;

typedef struct transcript {
    char *text;
    line *lines;
    size_t count;
} transcript;

typedef struct blob {
    uint8_t *data;
    size_t length;
} blob;

#define CHECK(condition)                                                                                                     \
    do {                                                                                                                     \
        if (!(condition)) {                                                                                                  \
            fprintf(stderr, "%s:%d: %s: failed, last error: %s\n", __FILE__, __LINE__, #condition, ikev2_scsi_error());       \
            exit(1);                                                                                                         \
        }                                                                                                                    \
    } while (0)

static inline transcript read_transcript(const char *path) {
    transcript all = {NULL, NULL, 0};
    FILE *file = fopen(path, "rb");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0) {
        perror(path);
        exit(1);
    }
    size_t length = (size_t)ftell(file);
    rewind(file);
    all.text = malloc(length + 1);
    if (all.text == NULL || fread(all.text, 1, length, file) != length) {
        perror(path);
        exit(1);
    }
    fclose(file);
    all.text[length] = 0;
    for (size_t at = 0; at < length; at++) all.count += all.text[at] == '\n';
    all.lines = calloc(all.count + 1, sizeof *all.lines);
    line *next = all.lines;
    char *rest_of_text = NULL;
    for (char *text = strtok_r(all.text, "\n", &rest_of_text); text; text = strtok_r(NULL, "\n", &rest_of_text)) {
        char *rest = NULL;
        for (char *word = strtok_r(text, " ", &rest); word && next->count < MOST_WORDS; word = strtok_r(NULL, " ", &rest))
            next->words[next->count++] = word;
        next++;
    }
    return all;
}

static inline void free_transcript(transcript *all) {
    free(all->lines);
    free(all->text);
}

/* Number `nth` of the lines that begin with this word, NULL if there are not so many. */
static inline const line *find(const transcript *all, const char *word, size_t nth) {
    for (size_t at = 0; at < all->count; at++)
        if (strcmp(all->lines[at].words[0], word) == 0 && nth-- == 0) return &all->lines[at];
    return NULL;
}

static inline uint64_t number(const line *from, int at) { return strtoull(from->words[at], NULL, 10); }

static inline unsigned digit(char c) { return (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10); }

/* The bytes of a word in hexadecimal; "-" has none. */
static inline blob hex(const line *from, int at) {
    const char *digits = from->words[at];
    blob bytes = {NULL, strcmp(digits, "-") == 0 ? 0 : strlen(digits) / 2};
    bytes.data = malloc(bytes.length + 1);
    for (size_t i = 0; i < bytes.length; i++)
        bytes.data[i] = (uint8_t)(digit(digits[2 * i]) << 4 | digit(digits[2 * i + 1]));
    return bytes;
}

#endif
