"""Files become observations: a profile says how to read them, a whole file is checked, then stored in short transactions."""
