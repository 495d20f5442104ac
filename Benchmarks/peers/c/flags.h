// The flags of the peers' C programs: --port PORT --root FOLDER.
#ifndef PEERS_FLAGS_H
#define PEERS_FLAGS_H

typedef struct {
    unsigned short port;
    const char *root; // of /static/
} flags_t;

// Ends the program with a line of usage when they are wrong.
flags_t flags_parse(int argc, char **argv);

// A listening socket on 127.0.0.1, with TCP_NODELAY, which its connections inherit; it doesn't
// block. Ends the program when there is none.
int flags_listen(const flags_t *flags);

#endif
