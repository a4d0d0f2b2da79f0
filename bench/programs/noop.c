// Does nothing, and is done.
int main(void) { return 0; }
