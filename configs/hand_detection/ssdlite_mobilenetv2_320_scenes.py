# Hands in generated scenes: python tools/make_synthetic.py --scenes --out data/synthetic/scenes --num 8000
_base_ = ['_base_/ssdlite_320.py']
