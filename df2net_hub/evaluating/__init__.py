"""Methods judged on faces of known shape: views in, a report out. DF2Net (ICCV 2019) Sec. 4.2."""
