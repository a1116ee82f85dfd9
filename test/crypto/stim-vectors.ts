/** STIM containers that Borg v0.2.0 (`tim.ToSigil`) has sealed, by the program test/interop/go-peer/stim. All bytes are in base64. */
export const STIM_VECTORS = [
  {
    password: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
    config: "eyJwb29sIjoiYS5leGFtcGxlIiwidGhyZWFkcyI6Mn0=",
    files: {},
    sealed:
      "U1RJTQIAAABqeyJjb25maWdfc2l6ZSI6NzIsImVuY3J5cHRpb25fYWxnb3JpdGhtIjoiY2hhY2hhMjBwb2x5MTMwNSIsInJvb3Rm" +
      "c19zaXplIjoxMDY0LCJ0aW0iOnRydWUsInZlcnNpb24iOiIxLjAifQAAAEgsH0GueLIU3A2zWxekAM3t96WRvAzna23VEKqbXmLm" +
      "eZWF/UDdvCvf7uTmN9K00kHLWz8MXQzL+uVvSa9RHpk4Drsc9l91cRoyNPehVrpN4GreEW4UQ94884aVgho0t1xLlR18a8DDMoqr" +
      "0tSsg8C1lFEOKQYInij9QLHoPa5vmPiZjOcikYG+3RZcNBLmCCufrygTgZ0nG+7qsMsOccYcmPOFDgp9ziwq5526GN1ClGZDtf8V" +
      "n6NSfQOxUikqSitwNfyRiOSUt413kw6MCN6NJeiaRzK++j72yGzMKnVeqwnx0UKDILkM4BfNrGLIZUOl3oDylDrAkKiBEwonYdtp" +
      "O8NoPp0R1EYsBWwtNmGMt3dcmlmqGeRkdJkvkN1cL1K281IDQGINoKTqu/oMyJKrkBHzGcGlT9QpO5iU7GFs9y4GDEdMq7q8J255" +
      "jLcSPicV+Zee3T/xpx/O8+ma/EoqhYVzngtBA/QndMHhVTR0+u81yGg7Z+RiTCdiJo8Fzk8nT6jfIueCZbyN9LMg30zd/r1LHuUD" +
      "EtW0+t9jK3BQyRRYj3i1gRht/x+2khcMy/H3zqSv0sQCFLmo4RvaWNrYKMawWcgXHdAbNKA/iTWSFy7CGC7nNG5Nanx7kw1EfYvz" +
      "NaLeSoj16+vh6oxqm4uyRKve0zplL4R+vMbQE24JWCoyoEgN7bV8zBhLavQ7YwRpgqC603MrRmFVY0Pchd8z5WzXnKtdIGkmxWFG" +
      "UyUkhVN6lz0bGFeuYl0IMptOkngLOTr3/ygVFdvDQTVqEbHFamAIWgRGEh2r7e1IiLEakKBYHaYJRYPW39nOGPqTduV1uX3MHiio" +
      "ECcUlwsFGN01CwxK5jmi1RCKvXhdrjbttEqokMEWifNQu2wMrXVlmVCoMR86fRnC1nc6pJ1lPCFM4/vwVSZDu3dcIwiwXUW7hbI9" +
      "V8Zg21WF93NL1htHQXyXtfFMcBmk9EH/mBy8stvlw5G3vMJKKWTK7CDOooJjIjJStWXl8xWq0fsfKNpHzqVJEwhT1zUbPB7GhwZ9" +
      "8vVwnaTEZDPDbD8KaCR8elcEagyL+RgQGzSY8XKtJnaxtwWmPYsLWfox0ruKGlnobfHftyvnzfWVgOVnfdo7kJJ7VpQAEkwcfPHP" +
      "8Neiv/kgNpzc4a/pj8kSUkyMhGQiCT7CVJfeXSWhuO1yFVAwbZzX6tHitcy4kQKmV95fOXCFFaYyVDVFVIHwvu10cOWCQyTZ7CR3" +
      "5ye5lh2e6lWqABQ5BRvVOHZ3TC+RmAULvI4VLTJlnbv6pL6D18wIUlUfXh2f+BtzPWoYIXGd683M1DuL+4W9acxHB1ucwubS/ZgE" +
      "tvvMyZaQeGv/DwAZ2nmR3ewHYP+5aXILNxM0aLbFgDbu2BZvUyNqAHg9mCAWxNA5VjB4u/SSFfY89mjT5a+mZczT6XeaLzcdUOlA" +
      "1TjwqfQ6OwSWnTc2jd+L7Q7JQv+yhROveVG2DlRh/gG3NC1dz+msNyeQ3VL7xSAtYWBZFyvN0A==",
  },
  {
    password: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
    config: "eyJpZCI6InAifQ==",
    files: {
      xmrig:
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+P0BBQkNERUZHSElK" +
        "S0xNTk9QUVJTVFVWV1hZWltcXV5fYGFiY2RlZmdoaWprbG1ub3BxcnN0dXZ3eHl6e3x9fn+AgYKDhIWGh4iJiouMjY6PkJGSk5SV" +
        "lpeYmZqbnJ2en6ChoqOkpaanqKmqq6ytrq+wsbKztLW2t7i5uru8vb6/wMHCw8TFxsfIycrLzM3Oz9DR0tPU1dbX2Nna29zd3t/g" +
        "4eLj5OXm5+jp6uvs7e7v8PHy8/T19vf4+fr7/P3+/wABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4fICEiIyQlJicoKSor" +
        "LC0uLzAxMjM0NTY3ODk6Ozw9Pj9AQUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVpbXF1eX2BhYmNkZWZnaGlqa2xtbm9wcXJzdHV2" +
        "d3h5ent8fX5/gIGCg4SFhoeIiYqLjI2Oj5CRkpOUlZaXmJmam5ydnp+goaKjpKWmp6ipqqusra6vsLGys7S1tre4ubq7vL2+v8DB" +
        "wsPExcbHyMnKy8zNzs/Q0dLT1NXW19jZ2tvc3d7f4OHi4+Tl5ufo6err7O3u7/Dx8vP09fb3+Pn6+/z9/v8AAQIDBAUGBwgJCgsM" +
        "DQ4PEBESExQVFhcYGRobHB0eHyAhIiMkJSYnKCkqKywtLi8wMTIzNDU2Nzg5Ojs8PT4/QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZX" +
        "WFlaW1xdXl9gYWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXp7fH1+f4CBgoOEhYaHiImKi4yNjo+QkZKTlJWWl5iZmpucnZ6foKGi" +
        "o6SlpqeoqaqrrK2ur7CxsrO0tba3uLm6uw==",
      "conf/pools.txt": "b25lCnR3bwo=",
    },
    sealed:
      "U1RJTQIAAABqeyJjb25maWdfc2l6ZSI6NTAsImVuY3J5cHRpb25fYWxnb3JpdGhtIjoiY2hhY2hhMjBwb2x5MTMwNSIsInJvb3Rm" +
      "c19zaXplIjozNjI0LCJ0aW0iOnRydWUsInZlcnNpb24iOiIxLjAifQAAADKi4AytngIHODaG+sSc9XZjgpIjAYvnAK0S/cxBfUyH" +
      "N4CxOcW2+8QmcEqMbX2vJDBvC77rzK0wRWzUWReDiM4dxu/DoZ4BstpbU2KqsCimXl5O8BlLA2LBE47HGXk2umDlB6zr7oTQMiML" +
      "J3HqpqbENV2iP0QksfJnsfh4SE6nem+MifEcVxGcPcM2zGxyD2f41fgzwuQJDpnV55rAgFI3/aeVpcrfIw+xjSnKTYmV1v+k0P96" +
      "d0MoTmRUhoTNX4Dih4tepESKHRl59ZMSL8ufpN9IVT0NNvuFE6nQYq/fCzl0or9F/mupcbU86SY0f5ozQIMjBcX8zdNGt/xpmveb" +
      "x+kXEZtdZGYG+u7gz6fC7+0VtLWGL5EsBrnVfdDsFP3KZUi1wEJk8pAs4umRwm8efZboOtd0K94KoZurtcmbP4Mab+cR9wYXswto" +
      "DfinV3dTT9Ew6CX7fbuhDmNqwQgIeP8FziSCjLyET8R4NCCywQ0tKfB6rvXOsFCL3iuJQJ0MXeEp0Bx5LhHyIsXyrOw0U3O2y2wq" +
      "2bVQ/3A/ZrIWanPjnw8nLqA/fXXlBou21nV3oYbnXOLnMef8B98VFKEysm3cvV9S/YbT2kexVtGdaQR/j0vzzbntw02wLpA2kXGU" +
      "1Z1ilyCrH5586RJ2eZn+Ua4R2Qbh3croGdV9ypZvMQbYzOCGFvvO4rUDoj4EqRWunCEO31wslgOSXeAc13ZRKEu7K3UcSnMLE2UD" +
      "zbXTWLITydQJ2VoAmfmclf9cmpD/pRsWAEl4IjEuUKJZNWEPiuPskU3uTS08apC7cSkJHOp/7kbCONj+LS3J/3W4uyIWnG+MtvPn" +
      "iJsiZ66Z1r+WFXOffkux34NI0q+flsXgyyJu17St/MKpvP0ub/pS+xN2nCo6ojs3olNRsMaSKNpJaOqHe0i5OZ7tGji0/JESydrm" +
      "vT09oKVwNpB380SVC+wWtto5XFB0Ez9hOR1tVQwjNOgAnQVHUrb1lfV/r4uaEepCC3ymLsrvhkRWccujiPDojg92tpHyxCvZ1ANU" +
      "mzQenMuoEJb7v1hU0aUDSF9nrrqJRsJxnYy1s1RHCZyE8sRoQydXAHY2GBU8lD4rjblHeHfz6tNZ+BCJYLahmVlQVD0WMeuRKHmn" +
      "4mr0IDs0A63Xy4TfNbA5idlWMNeUFSKCeypk+n3LqLhes3wFyMDNoOjVeifkIBE8cuo56c03AlBsMdhawVSYtcMq7Fy3bZUIJBMl" +
      "IUh9UC/Wuy2IqWAJ3Hoa6i1mJXmB37ihqhbl6nRiMfpup/Fd9yTLK9g+yOCLBOIhLYQ2hOUzCHvN7esxP9c/BbgodsCWWFR+ct5n" +
      "QO9JSvgeASlUPWr3+0bEYfXg8s1AP/b8DIjxNxs0+PErcUc5rBolQsJUaCZ+Ouopsvk3IGD+lUQhgVDvfs3OEu1XXRDSQsM79xLD" +
      "DbzQwFCZ4Tc+AQ1fz89aLw0KKrs3+rrz9EfbgcdJ6Fvtqb7613SXowwsWz3NK6Lk0Cbu/pSCr3uGmY6KfKGIB+kAS6jyeGGqMSRx" +
      "aqOH+l4dmAjgk02TERDqPPxpAYYJEVNk4Tw45dJKx2ePvmyeyE8MeOJ0KeB18vYaCaVaKYxK/mqXdZvqY18tPSw2oURQxtIy51uh" +
      "MtEp3OCP0icFLXLNzyQLg2dI2+9wWH04pauXqxQzN9JOdEBqk1cNPUhyAeo+cKvEVbX/oLX1iPdfcRnpud1UQd+yfFiSmmrpBmuj" +
      "xBCqKio8gq2v69OSKMKqj6eTDr8Ny3RfCyJjBRvRJDNx0M7rlWBqisvyoy86niXb12jVBHs2+A1pGi6spmIxDlZGh63IhoHHHXsv" +
      "cgBNukUTxuy56zmY9jN91NAuyBKxKyfbNj0zVmV5tuoHlzdtWOdqanoA+zzEOlF74yN0t64X3hP61vy91IDxzCXho+0HOtpwnng9" +
      "zm4U7hfPdC2zrcyYW8O6AiWIn4hH8mDO3TKdiQgbsa7dF/JtFHQvLWIY52NiQaId4oIFtrM6m8thsM1Kpb09WvYg3TX8YrHui6wM" +
      "WTfiW5yxHKvRC1IlVdlS0hsgOJ6l9FpmyJSwZ6884K+RLLlXQLpRwxpvp94i/QNKxxpGuzG3z7gZ046F8eoMdQtefJ1GscSeq+wX" +
      "aiSL5MTzMlbzeaT3e2v1Cv6BGLB/5HPPHLUTn11huQod79qxbyWr3GsSbUmEub0thz2J6WSEyk1fXoWEfw2GIT5C1/abalFky1FC" +
      "wEd1am9TGwAKTu4DpyPoq7Pa6euoWFW6cy+VbMjKjqPYNuf9NLridcorQioz36/hxLjR9QcXGvLH4mipnv/JUfyTvRhQH/yGmWZp" +
      "S/401Z463KJePn89VspMc08MOfeIyxC30pFL0QA8u2C1N+gbRDhZfaJhvSiYTitO6PEHT2rsUeirtChkVjF6FyZXMtKqT3G4lm++" +
      "QVRE017vWdp9Qrd2cbEIeS3w/UeKynEBFQ+KQ5nbKpUBP466Pkb9tJANt8sHzGxejXzW/eHa4b5MjvEQIzjpXyou2DJ5w6zR6lDX" +
      "lrbjOSyA+BXLG2Ux/D67+mozl1YhyijDNHh44v9PJsAeu157hxGTrLkDc8KEemhUKLTOiVKlMWhwakYclKE2Km9jmJbfkm9a0o+I" +
      "0JJ/GeK85p1Pcnrk80eS/tp8OC/PV1ecg0uOjOoOnLdu1yBKW0pHd7euQxAbvRACy23CadOOXnEMqs7N9NRm1CXNXvHgbgCm1NYA" +
      "WQ0coIKdnbFi1dOPhC+DAf1kJXuV9uaGvvIlfH4LO8jSys3wt9FcvZ7AkNoTd82hDMsP4E6ZRZlZt/S3FJ06BDt4TnH9+4K9XdEY" +
      "evmyjAm8H5D9edlJ25sKvUTTSD61FLDoCIbPK1j6Hq+KHasK5FXZ+J3fU3zjZFv0LuoWAFR098czUiHGu8RaDCJ4h6IT56P/FSt2" +
      "tDEyHoYp1BctdD4f0M2dkKrJHXp3nXoPubeVzSf+7zExICQ6g8WqVI+K0lDZ310bFWn/ff7UOAJklsngJZXQwoiWIXgIjYTme8PQ" +
      "/B9999Mhxmm1rs6Sb4kLUAJXZ2mY5bnmbjHEr++HnLzvpYb+Nqzhy/uKRQwDxDyQN2J8SxND7X8ZIEFSKXtL3ljNHquGyk6g7rz5" +
      "2ev9Ll+ZxIqEVQsr0w3gzbE3lYbU8ecNrB42bWXh7UIHdMXKbLXpCyWgmbeB9Rg6EGxXPCz5Huzkg0KHz/+K3HLc+xnfbuQWILsi" +
      "tP/T//2utaemRuT16xp0xcIDhUCIZnJT2lNZ8myM0EKSiLemghPksJW3ddVe5Th7UrZYUg6WJoU0OlrYOK4+cGO0iVSOgVjdSSWB" +
      "fjypozza2AhyWUsh2TkoP4OPh/HiZvPWBJwh8F0WIelcPWwJI2rvI/XME6I9kOX6V9ufvniXaGR6ZPBM+LV26AD8zCCiSdawl17d" +
      "KonNOL7MvP7djoHUGvcdEhE/H5O/PKFLdC6gln0dh2YcUiv50ktBMarHzCHYU301DeDaQw7meZf4t90qJSz/NwmlZgfLn/GrkaKI" +
      "aAhNMtI8o8M3NG69obeaMFocKvYN9UcIirfK5pg1NJJFjZI36KAYRhrp1xUFFRdpaFDOvucUWrepbJCNGLcNlBnmIv9cDe0oZxeT" +
      "r2b9rTAbbeczbrBu3sIxugLDZptMOqYKKLoPjmb4AsAkZcQeekOG4mEsw9PTQYcSgpog+xZMikUK8CRnw0v0wlSt5KoWDsw21U2G" +
      "YW1ivyvFeaB4eKszqnLUEmIHKNrFj/ZWDkVzT+WnPj6KzpkHFnDThHw/pV8lBulpRF3qFe4+KltKju1Vw00rg8MHmYDMuT2Uqioh" +
      "M/2YuUQBnJj/QCSjS2M22PQeZGrN69C76TmG+YB3VhzxdXljPC1gpl3vR25maBWun97dZWtDzp+DCxrzpdXCv0vhtC36dVAcm6SE" +
      "QnG5xvcF65eKQwjCjpW6asmNtLlnEZfJbjTRRsD6+MuqDeKfyVZ8iksuu4Z5YXDQoMd32x7GWoMAa2/vmhK6Zb5NoPa+ecB4whXL" +
      "D8WUPp6/uYyHV3q5rdGmY1GMh5rmHoaf0UmNY7E1T9Fty/wIjgi9toeH5kCwp3A09/x8ixQ150lJ2KENhHRAccYxlrRqmTFRJ0oV" +
      "4X+7JDap20gFmJ+HBba9dHkfCwTAXLHw+iJPFKoNnTyN1lmDykfNbvQfvhdKkhizSRTj0QI+Qacfs1kqmZhkedTBOjZOKfTvryjm" +
      "s7rB81IQfSXc1+s9jB3WpMoqqSbDW+RPpfts6ASYXib2Lb1d9W9MDJ+/sTpbzs1SeP3bus+sR2d9DDPXKrFIo4XMFm0a+/oW5pmy" +
      "YtGz3950ICkSPQBjQcNpvqpDjNcSt2/CYM58Qnpsci14g0H/f1nY7kFpeidlXjgGQehKM2Q20ekEmhsphUYSz3mWrPnZYFEq3d6b" +
      "4dRz+F9hFRRD0T2i2f98xG2LhozswynIhIvn2SOQgXxjWKzLKgZjh3jVB+7JpfXuBykEEyep7w2qF5ZMHOhqf2BAN9dc5x4Hzhil" +
      "aQJLXP9X3nU4O9rq9GAw4dx8sqlwDZU7PIUoBm8v6PqNp7AGdm/YHsuho+Ucf3rucKan3UWMsG7eWhaTUv8pfdNmwMWPwjR483tF" +
      "40HLReDP8/7C1CQ2oC96MsHiiG7FRnlygYxmm9okBQpRWJUqlskrsR+rFp4y0j/phfDSr2kSeGFrCdsZMS273Kw3WT6ebkbBAemI" +
      "zxns7ZMmYR2NoPXkbkalM2pn1gwCoRduYzljwm5kkf+jdQoTZI9ig5TlMosnUTInyc9355YdLcmBqXfzBR3CBBGla2FXLzHusmVH" +
      "kG/8rUq715JkRf2UkDlIzt19HNgDLrtEP1oF9/3ZYyuUv0+2U99s4AfspA==",
  },
  {
    password: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
    /** null: the container has Borg's default configuration. */
    config: null,
    files: {
      empty: "",
    },
    sealed:
      "U1RJTQIAAABqeyJjb25maWdfc2l6ZSI6NjgsImVuY3J5cHRpb25fYWxnb3JpdGhtIjoiY2hhY2hhMjBwb2x5MTMwNSIsInJvb3Rm" +
      "c19zaXplIjoxNTc2LCJ0aW0iOnRydWUsInZlcnNpb24iOiIxLjAifQAAAER42e3AbfAslTTa0zCqv8J6FHCVRRGaxSxI7gsWN7zB" +
      "RdJarMFDu75HpqT+gW/7PaKJzyzI3TI119ct6Y+kTe2YN8Pj3QoOtYRgbvxeb10UAnPJww+ryTDsVZ1rxu3IUmGPP1iuYuRdOnYE" +
      "aLDffF8l0zsCX9+DLSiqkvqSLjZahrXynBgkPstMEk7HktOvOQo232wKw9NTBhEQud8dIo/798x4+QkVXAhhAnnEjz51h7JpBmYL" +
      "EUIxDhdSvhtQdYahBGy3oUSnkDSJpgrBFwsODjs+YeZurnsQV22fEkTRUfFIZkLPqR69JsqbCVSHj0QEMsvYDnqBcpFlNs2idL2y" +
      "awwliNtZ4CePRnOrY1ydLtFlgmNw6lej7EJSOVHur4DSL92fkYrm7ghEVTkz0nE0KawInkKKiIexObcKzVkJ60stF4kJ23paG8kQ" +
      "K3SQaGy34SfbKXumeqD/3feZW04iRSGQeXbUFn3KzCcmmRmEzjyI+Mbuw62WY0usWuFi6HvKWQh6o/5Emwwp7DpBNpM7BcbW8mlw" +
      "BqeNSZ2a1bahtWcD0QVvoQOKOCX7mAL9i4raJNoW5IcdqtNHipUaRsjlkWlS1qJLb1xwazMCQL7+MVyo2DG7wElHfXQ+/ApxV4BH" +
      "YQQ3kDddgqDwMxrvipRtWWJKuzlW0ll+QRSjFjcpqWQ2oQ7zHJLKeSPv/Ipd4PSxIJZj07Kbx9sRpIgIcAvpQDnFltRzMrlSROXu" +
      "1k8/NvAebJZ7fUFeCkZ4HN7nMyVB/yloCSjlu9jKVMXEUWt1WQilhexhNrru9P/uGZUpizZZNooXGAnMRwYejnuSPpp2em5ixKcm" +
      "NBFqMMg2U9+tnz+FuGn1XT4s1FLV7um0V1yj9dDthzXIYrbzixE6JreMuaGYb9hB7Ielre9jD4AfOrA+WQa9sEFCZ67epREzgA7p" +
      "hxeCMoGYQgkl8LnPBpi3qzwkMVUVzEn+xlvXlPNpyHp/cr4ehZkOIMldfyQQUEhp0GdTp9VvlDGnt3M5IbLDgkEZCp+GGTfIJ1E0" +
      "2axdksF7Tw/fOn5gCn8JUwGthu4+HCyXlLzlpUlVUZhoZCp/C9zPQRGCHSB8wnKACyhmSedadh3iXB17TCKrWddZf4Z/9O7T8D61" +
      "wvTylf5KDAzHVb52931jK5F4Byo1oZsLdIlWzGWq0pBRdpJxVEkEUfoPaJkSQMkJyRNFJbvKPscsYp1dfkRQVDdss3GmQaTx3w4C" +
      "i5esiuz2wBKKlU/MwM9863scVU/MikA3Y54U2mZnjDTRT7igqNw2zv9GyJ7kt7qosj83enKVtvlIgmbOdtYPUwJuKCSAZ6+AL2Cx" +
      "iv1twrBPSYMTvlGmLQaIal1sJ2OT3HNqqS9JsDyY18ESDUKWVqsso2wBWLydMLzzPrAfMmfeAV9px8be1i8lTqmnNl6SvOir4dT9" +
      "zfL4w7V9IwGr5Co3vZgwsQvd3TAz+uK3R9CUkWy8RXRdj6zQ2rD37ezjjIiU8PcgJ38RDRYewaSeXNWmTaKHQKQw+6gsG/0ch2GW" +
      "l2SueuzAvQRIVnYOGp+ZyhPjxhvXfR8pYldowMnBIkTN52UY0bW4C9J9Ag47M3IHAkwqumIs9XB6fCa5ydRATozXjpn15u2atxc9" +
      "KxLg88BfgvZ7e3vd60CA8FrRvkPDiTFR6zFX2Chd5glhD0QLTjVUw7TGyMq43sPjJImOj4YvC4snftGAJMv+UfOnD9ecPyDtva4r" +
      "C7rwNVpFs8rlPTWe64DTYBR4rbTzYra0JQkMA999MoZvQOIOdwhDFyv5mifXt1/M4J/wMyWGG+fLEiolNmIc7aTUkb4hBZDJXidU" +
      "NZUhgAuJna3LrbHt8BwGe6Efkv22c6/7HWBzuYj4GkqRRNrt7x9SQtx6DtMGR8hWYd1As04RyBsT4T2gwbRwdl1rsaZF00hxJ22D" +
      "78dVilsj75uMy3jYsz6SouW7k9vuZgd5tv/5xph9VEiEXARfttW7yuOKOFVoG3ihd0XDV/QB5xZrtSfrqi+G0ux4FHEUWAnEZQpG" +
      "LWj1TdgYeIaxYihi/Tn41w8/nkDT0I/u7b//76Gkak00ApTxCIC+1mgMPr+YUnyy0NvKhrCUYIKUNb8DDiR7Xldg8FPiVmAdFn2n" +
      "asm1rWTin5DQ6GtIb/xxt4aDdpCy8SO4lo7g6mOL1nXjWYR5Mdg=",
  },
] as const;
